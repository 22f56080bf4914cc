"""GL contexts without a window, for MuJoCo to draw in.

Two platforms, each a row of `PLATFORMS` and a module that is imported when it is tried.
`open_context` takes the first that really works, at the time of the call: no environment variable
is set, and it does not matter what `mujoco` chose for itself when it was imported.

Both platforms may be tried in one process, and a broken EGL does not spoil OSMesa. But MuJoCo looks
its GL functions up once, with its first picture, and through EGL those are libglvnd's, which do not
reach an OSMesa context: after a picture with EGL, OSMesa needs a new process.

A platform's module has a function `open_context`, which returns a `Context` or raises
`PlatformFailure`, and `REMEDY`, the command that installs its libraries.
`tests/support/gl_platform_contract.py` says what else is expected of it, and
`tests/support/gl_platform_template.py` is one to start from.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import cast

from ...errors import BackendUnavailableError
from ...system import Trial
from .context import Context, PlatformFailure, is_software

__all__ = [
    "PLATFORMS",
    "VARIABLE_REMEDY",
    "Context",
    "Probe",
    "begin_probe",
    "check_name",
    "is_software",
    "open_context",
    "probe",
    "remedy",
]

# Name -> module, in the order of preference: EGL reaches a GPU where there is one, and lasts.
PLATFORMS = {"egl": ".egl", "osmesa": ".osmesa"}
VARIABLE_REMEDY = f"unset MUJOCO_GL, or set it to {' or '.join(PLATFORMS)}"

# What mujoco itself takes for "no rendering at all".
_OFF = ("disable", "disabled", "off", "false", "0")

# Name -> the process that first opened a context.
_owners: dict[str, int] = {}


def open_context(gl: str | None = None) -> Context:
    """Open a GL context on the first GL platform that works.

    Args:
        gl: A name in `PLATFORMS`: only that one is tried. None: the one that the environment
            variable MUJOCO_GL names, or, if it names none of them, each in turn.

    Returns:
        A context that is not current.

    Raises:
        BackendUnavailableError: None works; the message gives a reason and a remedy for each tried.
        ValueError: `gl` is not a platform's name, or MUJOCO_EGL_DEVICE_ID not a device's number.
    """
    failures: list[str] = []
    for name in _candidates(gl):
        try:
            return _open(name)
        except PlatformFailure as failure:
            failures.append(f"  {name}: {failure.reason}\n    remedy: {failure.remedy}")
    raise BackendUnavailableError(
        "MuJoCo cannot draw, because no GL platform works here:\n" + "\n".join(failures)
    )


def _open(name: str) -> Context:
    if _owners.get(name, os.getpid()) != os.getpid():
        # Mesa's drawing threads do not survive a fork, and waiting for them never ends.
        raise PlatformFailure(
            "it was used before this process was forked",
            "start processes with multiprocessing's 'spawn', or draw in the child only",
        )
    context = cast(Context, _module(name).open_context())
    _owners[name] = os.getpid()
    return context


def check_name(gl: str | None) -> None:
    """Raise ValueError unless `gl` is None or a name in `PLATFORMS`."""
    if gl is not None and gl not in PLATFORMS:
        raise ValueError(f"gl must be one of {', '.join(PLATFORMS)}, or None to choose, got {gl!r}")


def remedy(name: str) -> str:
    """The command that installs the libraries of a platform in `PLATFORMS`."""
    return cast(str, _module(name).REMEDY)


def _module(name: str) -> ModuleType:
    return importlib.import_module(PLATFORMS[name], __name__)


def _candidates(gl: str | None) -> list[str]:
    check_name(gl)
    if gl is not None:
        return [gl]
    wanted = os.environ.get("MUJOCO_GL", "").strip().lower()
    if wanted in _OFF:
        raise BackendUnavailableError(
            f"MUJOCO_GL={wanted} switches MuJoCo's drawing off; {VARIABLE_REMEDY}"
        )
    # Any other value (glfw, glx, on) asks for a window, which is not to be had here.
    return [wanted] if wanted in PLATFORMS else list(PLATFORMS)


@dataclass(frozen=True)
class Probe:
    """What a GL platform can do here.

    Attributes:
        name: The platform.
        ok: Whether MuJoCo drew a picture with it.
        renderer: What drew it, as GL names it; empty if nothing did.
        hardware: Whether that is a GPU.
        reason: Why it did not work; empty if it did.
        remedy: A command, or advice, that mends it; empty if it worked.
    """

    name: str
    ok: bool
    renderer: str = ""
    hardware: bool = False
    reason: str = ""
    remedy: str = ""


def probe(name: str, timeout: float = 60.0) -> Probe:
    """Try a GL platform with a small MuJoCo picture, in a process of its own.

    Its own, because a driver may crash or hang, and because MuJoCo keeps to the first platform that
    it meets.

    Args:
        name: A name in `PLATFORMS`.
        timeout: Seconds after which the platform counts as hanging.

    Raises:
        ValueError: `name` is not a platform's name.
    """
    with begin_probe(name, timeout) as outcome:
        return outcome()


@contextmanager
def begin_probe(name: str, timeout: float = 60.0) -> Iterator[Callable[[], Probe]]:
    """Begin what `probe` does; yield what waits for it and returns the outcome."""
    check_name(name)
    command = [sys.executable, "-m", f"{__name__}.probing", PLATFORMS[name]]
    # MUJOCO_GL would make `import mujoco` load the same library through PyOpenGL, and fail on its
    # absence in an obscurer way.
    variables = {key: value for key, value in os.environ.items() if key != "MUJOCO_GL"}
    with Trial(command, timeout, variables) as trial:
        yield lambda: _outcome(name, trial)


def _outcome(name: str, trial: Trial) -> Probe:
    try:
        child = trial.result()
    except subprocess.TimeoutExpired as error:
        return _failed(name, f"it hangs: no picture in {error.timeout:g} s")
    if child.returncode < 0:
        return _failed(name, f"it crashed ({signal.Signals(-child.returncode).name})")
    if child.returncode:
        lines = child.stderr.strip().splitlines() or ["it says nothing"]
        return _failed(name, lines[-1])
    return Probe(name, **json.loads(child.stdout.splitlines()[-1]))


def _failed(name: str, reason: str) -> Probe:
    return Probe(name, False, reason=reason, remedy=remedy(name))
