"""What can render on this machine, found out by trying; for each "no", what mends it."""

import importlib
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from ..errors import BackendUnavailableError
from ..mujoco import gl
from ..system import Trial
from ..video import FORMATS, ffmpeg

_PACKAGES = ("lerax-render", "lerax", "jax", "equinox", "mujoco", "mujoco-mjx", "numpy")
_EXTRAS = {
    "gym": "gymnasium",
    "gymnax": "gymnax",
    "figures": "matplotlib",
    "tensorboard": "tensorboardX",
    "wandb": "wandb",
}

SECONDS = 60.0
"""After which what is tried in a process of its own counts as hanging."""


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    Attributes:
        name: What was tried.
        ok: Whether it works.
        detail: A version or a description where it works, the reason where it does not.
        remedy: The command that mends it, where there is one.
        optional: Whether clips can be made without it.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    optional: bool = False


class Findings(NamedTuple):
    """All that was tried, and whether clips of 2D and MuJoCo environments can be made."""

    findings: list[Finding]
    usable: bool


def examine() -> Findings:
    """Try everything that a clip may need.

    It takes a few seconds, and no more than a few minutes: what may hang is tried in processes of
    its own, all at once, and given up after `SECONDS`.
    """
    with ExitStack() as stack:
        probes = [stack.enter_context(gl.begin_probe(name, SECONDS)) for name in gl.PLATFORMS]
        chosen = stack.enter_context(_chosen_gl())
        cinematic = stack.enter_context(_cinematic())
        computing = stack.enter_context(_computing())
        findings = [_python(), *map(_package, _PACKAGES), computing(), _pygame(), *_ffmpeg()]
        platforms = [_gl_platform(outcome()) for outcome in probes]
        findings += [*platforms, *chosen(), cinematic()]
    findings += [_extra(extra, package) for extra, package in _EXTRAS.items()]
    usable = all(f.ok or f.optional for f in findings) and any(f.ok for f in platforms)
    return Findings(findings, usable)


def report(found: Findings, console: Console | None = None) -> None:
    """Print what was found as a table, and what to do about each "no"."""
    console = console or Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    marks = {True: "[green]yes[/]", False: "[red]no[/]"}
    for finding in found.findings:
        mark = "[yellow]no[/]" if finding.optional and not finding.ok else marks[finding.ok]
        table.add_row(mark, finding.name, finding.detail)
    console.print(table)
    for finding in found.findings:
        if finding.remedy and not finding.ok:
            console.print(f"\n{finding.name}: {finding.remedy}", markup=False, soft_wrap=True)
    console.print(
        "\nThis machine can make clips of 2D and MuJoCo environments."
        if found.usable
        else "\nThis machine cannot make every kind of clip: see above."
    )


def _python() -> Finding:
    return Finding("python", True, f"{platform.python_version()} on {platform.platform()}")


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", f"pip install {name}")


def _extra(extra: str, package: str) -> Finding:
    found = _package(package)
    remedy = f"pip install 'lerax-render[{extra}]'"
    return Finding(f"{package} ({extra})", found.ok, found.detail, remedy, optional=True)


def _pygame() -> Finding:
    try:
        pygame = importlib.import_module("..paint2d.pygame_import", __package__).pygame
        surface = pygame.Surface((4, 4), depth=32)
        pygame.draw.circle(surface, "red", (2, 2), 2)
        drawn = tuple(surface.get_at((2, 2)))[:3] == (255, 0, 0)
        sdl = ".".join(map(str, pygame.get_sdl_version()))
        kind = "pygame-ce" if getattr(pygame, "IS_CE", False) else "pygame"
    except Exception as error:
        return Finding("pygame", False, f"{error}", "pip install --force-reinstall pygame")
    return Finding("pygame", drawn, f"{kind} {pygame.version.ver}, SDL {sdl}, no display needed")


def _ffmpeg() -> Iterator[Finding]:
    try:
        path, present = ffmpeg.find_ffmpeg(), ffmpeg.encoders()
    except BackendUnavailableError as error:
        yield Finding("ffmpeg", False, str(error), "pip install --force-reinstall imageio-ffmpeg")
        return
    yield Finding("ffmpeg", True, f"{ffmpeg.version()}, {path}")
    for format in FORMATS.values():
        missing = format.encoders - present
        yield Finding(
            f"  {format.name}",
            not missing,
            ", ".join(sorted(format.encoders))
            if not missing
            else f"this ffmpeg has no encoder {', '.join(sorted(missing))}",
            "pip install --force-reinstall imageio-ffmpeg, and unset IMAGEIO_FFMPEG_EXE",
            optional=format.name != "mp4",
        )


@contextmanager
def _chosen_gl() -> Iterator[Callable[[], list[Finding]]]:
    """What MUJOCO_GL stands in the way of, where it is set: MuJoCo reads it when it is imported."""
    wanted = os.environ.get("MUJOCO_GL")
    if wanted is None:
        yield list
        return
    script = "from lerax_render.mujoco import gl; gl.open_context().close(); import mujoco"
    with _begin(script, os.environ) as failure:
        yield lambda: [
            Finding(f"MUJOCO_GL={wanted}", not failure(), failure() or "works", "unset MUJOCO_GL")
        ]


@contextmanager
def _computing() -> Iterator[Callable[[], Finding]]:
    """Whether JAX finds something to compute on, as all clips but those of MJCF files need."""
    # In a process of its own: a driver may hang, and JAX starts once in each.
    script = "from lerax_render.system import start_jax; start_jax()"

    def finding() -> Finding:
        reason = failure().rpartition("Error: ")[2]
        wanted = os.environ.get("JAX_PLATFORMS")
        remedy = "unset JAX_PLATFORMS" if wanted else "pip install --force-reinstall jax jaxlib"
        return Finding("computing with JAX", not reason, reason or "works", remedy)

    with _begin(script, os.environ) as failure:
        yield finding


@contextmanager
def _cinematic() -> Iterator[Callable[[], Finding]]:
    """Whether MuJoCo's Filament renderer finds a Vulkan to draw with."""
    # In a process of its own, as the GL platforms: to import MuJoCo here would settle MUJOCO_GL.
    script = (
        "import mujoco; from lerax_render.mujoco.filament import FilamentRenderer; "
        "FilamentRenderer(mujoco.MjModel.from_xml_string('<mujoco/>'), 64, 48).close()"
    )
    variables = {key: value for key, value in os.environ.items() if key != "MUJOCO_GL"}

    def finding() -> Finding:
        reason = failure().rpartition("Error: ")[2]
        detail = "not available" if reason else "MuJoCo's Filament renderer, through Vulkan"
        return Finding("quality='cinematic'", not reason, detail, reason, optional=True)

    with _begin(script, variables) as failure:
        yield finding


@contextmanager
def _begin(script: str, variables: Mapping[str, str]) -> Iterator[Callable[[], str]]:
    """Begin to run Python code; yield what waits for it and says what failed, or nothing."""
    with Trial([sys.executable, "-c", script], SECONDS, variables) as trial:

        @cache
        def failure() -> str:
            try:
                done = trial.result()
            except subprocess.TimeoutExpired:
                return f"it hangs: no answer in {SECONDS:g} s; update the driver that draws"
            if done.returncode == 0:
                return ""
            if done.returncode < 0:
                return f"it crashed ({signal.Signals(-done.returncode).name})"
            return (done.stderr.strip().splitlines() or ["it says nothing"])[-1]

        yield failure


def _gl_platform(probe: gl.Probe) -> Finding:
    kind = "hardware" if probe.hardware else "software"
    return Finding(
        f"GL through {probe.name}",
        probe.ok,
        f"{probe.renderer} ({kind})" if probe.ok else probe.reason,
        probe.remedy,
        # One of them is enough: `examine` asks for that.
        optional=True,
    )
