"""What a GPU brings: painting, encoding and training on it. `benchmarks/gpu.sh` runs this.

    python benchmarks/gpu.py                 everything; writes gpu.json and docs/benchmarks.md
    python benchmarks/gpu.py PART...         these parts; writes nothing
    python benchmarks/gpu.py --rehearse ...  the same in small, on any machine; writes nothing

Without `--rehearse` it stops, and says what to do, unless both JAX and EGL are on a GPU.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from parts import Part, measure
from report import Section, facts_at_start, facts_of_machine, number, replace_section, show
from rich.console import Console
from timing import Row, best_of, costs, known, psnr

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "gpu.json"
PAGE = FOLDER.parent / "docs/benchmarks.md"
PARTS = {name: Part("gpu", name) for name in ("painting", "encoding", "training")}
TITLE = "GPU"
REHEARSE = "rehearse"
SECONDS_A_PART = 240.0
"""After these, what a part has measured has to do: all of them are to take ten minutes."""
NVIDIA_EGL = "/usr/share/glvnd/egl_vendor.d/10_nvidia.json"


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    pictures: tuple[tuple[int, int], ...]
    poses: int
    clip_steps: int
    rounds: int

    @classmethod
    def of(cls, arguments: tuple[str, ...]) -> "Size":
        """Return that of a rehearsal, or the real one."""
        if REHEARSE in arguments:
            return cls(((64, 48), (128, 72)), 2, 6, 1)
        return cls(((640, 480), (1280, 720)), 128, 256, 3)


def painting(*arguments: str) -> Iterator[Section]:
    """Frames and clips of Humanoid, next to the bare loop."""
    import mujoco
    from scenes import Poses, bare, gymnasium_mjcf

    from lerax_render import HeadlessMujocoRenderer, record
    from lerax_render.sources.simulation import Simulation

    size = Size.of(arguments)
    poses = Poses("humanoid", size.poses)
    model, data = poses.model, poses.data
    model.vis.global_.offwidth, model.vis.global_.offheight = size.pictures[-1]
    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, camera)
    scene = Simulation(gymnasium_mjcf("humanoid"))
    rows = []
    for width, height in size.pictures:
        with (
            HeadlessMujocoRenderer(model, width, height, camera=camera) as auto,
            HeadlessMujocoRenderer(model, width, height, camera=camera, quality="high") as high,
            mujoco.Renderer(model, height, width) as theirs,
        ):

            def clip(width: int = width, height: int = height) -> None:
                record(scene, steps=size.clip_steps, width=width, height=height)

            clip()
            auto_seconds, high_seconds, bare_seconds, clip_seconds = best_of(
                poses.loop(lambda auto=auto: auto.render(data)),
                poses.loop(lambda high=high: high.render(data)),
                poses.loop(lambda theirs=theirs: bare(theirs, data, camera)),
                clip,
                rounds=size.rounds,
            )
            quality = auto.quality
        name = f"Humanoid {width}×{height}"
        rate = size.poses / bare_seconds
        rows += [
            costs(f"{name}: `high` / bare loop", high_seconds, bare_seconds, 1.1),
            known(
                f"{name}: `auto` (`{quality}`) / `mujoco.Renderer`",
                size.poses / auto_seconds,
                rate,
                "frames/s",
            ),
            known(
                f"{name}: whole MP4 clip / bare loop alone",
                size.clip_steps / clip_seconds,
                rate,
                "frames/s",
            ),
        ]
    yield Section("Painting", "", rows)


def encoding(*arguments: str) -> Iterator[Section]:
    """NVENC next to x264, on the same frames of Humanoid."""
    from scenes import Poses

    from lerax_render import HeadlessMujocoRenderer
    from lerax_render.video.formats import FORMATS

    size = Size.of(arguments)
    program, why = find_nvenc()
    rows = []
    table = [("", "NVENC, kB", "x264, kB", "NVENC, dB", "x264, dB")]
    for width, height in size.pictures:
        poses = Poses("humanoid", size.clip_steps)
        frames: list[np.ndarray] = []
        with HeadlessMujocoRenderer(poses.model, width, height) as renderer:
            poses.loop(
                lambda renderer=renderer, poses=poses, frames=frames: frames.append(
                    renderer.render(poses.data)
                )
            )()
        name = f"{width}×{height}"
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder, "frames.raw")
            raw.write_bytes(np.stack(frames).tobytes())
            x264 = FORMATS["mp4"].arguments(width, height)
            encoders = {
                which: partial(encode, program, raw, width, height, options, Path(folder, which))
                for which, options in (("nvenc", as_nvenc(x264)), ("x264", x264))
                if which == "x264" or not why
            }
            seconds = best_of(*encoders.values(), rounds=size.rounds)
            rates = [len(frames) / each for each in seconds]
            if why:
                rows.append(Row(f"{name}: x264; there is no NVENC", *rates, None, "frames/s"))
                continue
            rows.append(known(f"{name}: NVENC / x264", *rates, "frames/s"))
            clips = [Path(folder, which, FORMATS["mp4"].file_name) for which in encoders]
            kilobytes = [number(clip.stat().st_size / 1000) for clip in clips]
            table.append((name, *kilobytes, *(number(likeness(clip, frames)) for clip in clips)))
    yield Section(
        "Encoding", f"No NVENC: {why}." if why else "", rows, table if len(table) > 1 else ()
    )


def encode(
    program: str, raw: Path, width: int, height: int, options: tuple[str, ...], folder: Path
) -> None:
    """Encode a file of raw RGB frames into `folder`."""
    folder.mkdir(exist_ok=True)
    source = f"-v error -y -f rawvideo -pix_fmt rgb24 -s {width}x{height} -r 50 -i {raw}"
    subprocess.run([program, *source.split(), *options], check=True, cwd=folder)


def find_nvenc() -> tuple[str, str]:
    """Return an ffmpeg that encodes with NVENC here, or ours and why there is none."""
    from lerax_render.video.ffmpeg import find_ffmpeg

    ours = find_ffmpeg()
    whys = []
    for program, name in ((ours, "the bundled ffmpeg"), (shutil.which("ffmpeg"), "the system's")):
        if program is None:
            whys.append(f"{name} is not there")
            continue
        trial = "-v error -f lavfi -i color=s=256x256:d=0.1 -c:v h264_nvenc -f null -"
        tried = subprocess.run([program, *trial.split()], capture_output=True, text=True)
        if tried.returncode == 0:
            return program, ""
        lines = tried.stderr.strip().splitlines() or ["it says nothing"]
        whys.append(f"{name} says: {lines[0].partition('] ')[2] or lines[0]}")
    return ours, "; ".join(whys)


def as_nvenc(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the project's options for an MP4 with NVENC in x264's place, at its quality."""
    text = "\n".join(arguments)
    begin, end = text.index("-c:v\nlibx264"), text.index("-movflags")
    nvenc = "-c:v h264_nvenc -preset p4 -rc vbr -cq 20 -b:v 0 ".replace(" ", "\n")
    return tuple((text[:begin] + nvenc + text[end:]).split("\n"))


def likeness(clip: Path, frames: "list[np.ndarray]") -> float:
    """Return the PSNR of a clip against the frames that it was made from."""
    from lerax_render.video import VideoReader

    with VideoReader(clip) as reader:
        return psnr(np.stack(frames), np.stack(list(reader)))


def training(*arguments: str) -> Iterator[Section]:
    """PPO with and without recordings."""
    import jax
    from lerax.algorithm import PPO
    from lerax.env.classic_control import CartPole
    from recording import FRAMES, INTERVAL, Comparison

    if REHEARSE in arguments:
        small = PPO(num_envs=16, num_steps=512, num_epochs=10, num_batches=16)
        comparisons = {"CartPole": Comparison(CartPole(), small, INTERVAL, rounds=1)}
    else:
        # A GPU takes as long for a thousand environments as for one, so few steps of many.
        algorithm = PPO(num_envs=1024, num_steps=128, num_epochs=4, num_batches=16)
        comparisons = {"CartPole": Comparison(CartPole(), algorithm, 5 * INTERVAL, rounds=2)}
    for name, comparison in comparisons.items():
        comparison.run()
        device = jax.devices()[0].device_kind
        yield Section(
            f"PPO on {name}, with recordings of {FRAMES} frames each {INTERVAL} iterations",
            f"JAX computes on {device}.",
            comparison.rows(limit=2),
        )


def problem() -> str:
    """Return what keeps this machine from being measured, and what mends it; or nothing."""
    from lerax_render.mujoco import gl

    # In a process of its own: JAX takes most of a GPU's memory and keeps it.
    look = "import jax; print(jax.default_backend(), jax.devices()[0].device_kind, sep=', ')"
    asked = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True)
    backend = (asked.stdout.splitlines() or asked.stderr.splitlines() or ["nothing"])[-1]
    if not backend.startswith("gpu,"):
        return (
            f"JAX computes on {backend}, not on a GPU. Remedy: run "
            "benchmarks/gpu.sh, which installs JAX for CUDA; if that was it, `nvidia-smi` must "
            "list a GPU and a driver of version 525 or newer"
        )
    egl = gl.probe("egl")
    if not egl.ok:
        return f"EGL draws nothing: {egl.reason}. Remedy: {egl.remedy}"
    if not egl.hardware:
        return (
            f"EGL draws with {egl.renderer}, not on the GPU: NVIDIA's part of EGL is not there "
            f"({NVIDIA_EGL}). Remedy: install the driver's GL libraries (Debian: nvidia-egl-icd; "
            "Ubuntu: libnvidia-gl-<the driver's version>); in a container, start it with "
            "NVIDIA_DRIVER_CAPABILITIES=all, or at least with graphics,compute,utility,video"
        )
    return ""


def page_section() -> Section:
    """Return what the page says of GPUs: what was measured on one, where that was done."""
    if RESULTS.is_file():
        return Section.from_json(RESULTS.read_text())
    return Section(
        TITLE,
        "No GPU was at hand, so nothing is known of one yet. On a machine with an NVIDIA GPU "
        "(Debian or Ubuntu),\n\n```sh\nbenchmarks/gpu.sh\n```\n\ninstalls what is needed, checks "
        "that JAX and EGL are on the GPU and says what to do where they are not, measures "
        "Humanoid at 640×480 and 1280×720 next to bare `mujoco.Renderer`, NVENC next to x264, and "
        "PPO with and without recordings at `video_interval=10`, which are to add at most 2 % to "
        "its time; prints one table, and writes it here. `lerax-render doctor` says whether EGL "
        "is on a GPU; `auto` is then `high`.",
    )


def together(sections: list[Section], device: str, facts: list[tuple[str, str]]) -> Section:
    """Return all that was measured as one section with one table."""
    rows = [row for section in sections for row in section.rows]
    said = [f"{section.title}: {section.prose}" for section in sections if section.prose]
    told = [f"{name}: {value}" for name, value in (("device", device), *facts)]
    sizes = next((section.table for section in sections if section.table), ())
    note = "\n".join(f"- {line}" for line in (*said, *told))
    return Section(TITLE, "`benchmarks/gpu.sh`, the fastest of several rounds.", rows, sizes, note)


def device_name() -> str:
    """Return the GPU's name and its driver's version."""
    query = "--query-gpu=name,driver_version,memory.total"
    told = subprocess.run(
        ["nvidia-smi", query, "--format=csv,noheader"], capture_output=True, text=True
    )
    return "; ".join(told.stdout.strip().splitlines()) or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}")
    parser.add_argument("--rehearse", action="store_true", help="small, on any machine")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if not arguments.rehearse and (why := problem()):
        sys.exit(f"gpu.py: {why}.")
    console = Console(width=max(120, Console().width))
    # So that the part under way ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    facts = facts_at_start()
    options = (REHEARSE,) if arguments.rehearse else ()
    sections = []
    for name in arguments.parts or PARTS:
        console.print(f"{name} …", highlight=False)
        part = replace(PARTS[name], arguments=options, seconds=SECONDS_A_PART)
        sections += measure(part)
    facts += facts_of_machine(FOLDER)
    device = "none, a rehearsal" if arguments.rehearse else device_name()
    section = together(sections, device, facts)
    show(section, console)
    console.print(section.note, highlight=False, markup=False, soft_wrap=True)
    if not arguments.rehearse and not arguments.parts:
        RESULTS.write_text(section.to_json() + "\n")
        PAGE.write_text(replace_section(PAGE.read_text(), section))
        console.print(f"\nwritten: {RESULTS}, {PAGE}", highlight=False, soft_wrap=True)
    if any(section.title.startswith("Not measured") for section in sections):
        sys.exit(1)


if __name__ == "__main__":
    main()
