"""A part of the benchmarks, measured in a process of its own: one that crashes ends no other."""

import importlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from report import Section


@dataclass(frozen=True)
class Part:
    """A function of a module in this folder that yields each `Section` when it is measured.

    Attributes:
        module: Its name.
        function: Its name.
        arguments: Texts for it.
        opponents: Whether it needs the packages that are compared with and not installed with the
            project.
        seconds: That it may take; it is ended then, and what it has measured by then stands.
    """

    module: str
    function: str = "sections"
    arguments: tuple[str, ...] = ()
    opponents: bool = False
    seconds: float = 60.0


def measure(part: Part, paths: Sequence[Path] = ()) -> list[Section]:
    """Run a part in a process of its own.

    Args:
        part: What to run.
        paths: Folders that its process finds packages in before all others.

    Returns:
        What it measured; where it failed, the last section says so, and why.
    """
    environment = dict(os.environ)
    # mujoco.Renderer and Gymnasium need it, from before mujoco is imported; the project does not.
    environment.setdefault("MUJOCO_GL", "egl")
    found_first = [*map(str, paths), *filter(None, [environment.get("PYTHONPATH")])]
    if found_first:
        environment["PYTHONPATH"] = os.pathsep.join(found_first)
    with tempfile.TemporaryDirectory() as folder:
        results, said = Path(folder, "sections"), Path(folder, "said")
        results.touch()
        command = [sys.executable, __file__, part.module, part.function, str(results)]
        with said.open("wb") as output:
            child = subprocess.Popen(
                [*command, *part.arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Its children, ffmpeg among them, end with it.
                process_group=0,
            )
            try:
                status = child.wait(part.seconds)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        sections = [Section.from_json(line) for line in results.read_text().splitlines()]
        if status != 0:
            sections.append(failure(part, status, said.read_text(errors="replace")))
    return sections


def failure(part: Part, status: int | None, said: str) -> Section:
    """Return what stands on the page in the place of what could not be measured."""
    lines = said.strip().splitlines() or ["it said nothing"]
    if status is None:
        why = f"it took more than {part.seconds:g} s"
    elif status < 0:
        why = f"it was ended by {signal.Signals(-status).name}"
    else:
        why = lines[-1]
    name = part.module if part.function == "sections" else f"{part.module}.{part.function}"
    print(f"\n{name} failed:", *lines[-20:], sep="\n  ", file=sys.stderr)
    return Section(f"Not measured: {name}", f"This part failed: {why}.")


if __name__ == "__main__":
    module, function, results, *arguments = sys.argv[1:]
    with open(results, "a", buffering=1) as file:
        for section in getattr(importlib.import_module(module), function)(*arguments):
            file.write(section.to_json() + "\n")
