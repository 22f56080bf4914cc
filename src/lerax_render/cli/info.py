"""What is in a replay's file, as text."""

from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from ..export import Description, describe
from .process import printable


def report(file: Path) -> None:
    """Print what is in a file.

    Raises:
        RenderError, OSError: It is no replay's file, or cannot be read.
    """
    found = describe(file)
    console = Console(highlight=False)
    console.print(Text(str(file)), f"{decimal(found.num_bytes)}", style="bold", soft_wrap=True)
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in _facts(found):
        # As text: a stranger's file is not to write in colours.
        facts.add_row(Text(name, "dim"), Text(printable(value, kept="")))
    console.print(facts)
    arrays = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, side in (
        ("array", "left"),
        ("shape", "left"),
        ("type", "left"),
        ("packed", "right"),
    ):
        arrays.add_column(title, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for name, (shape, kind, size) in found.arrays.items():
        if size and 0 not in shape:
            arrays.add_row(name, str(shape), kind, decimal(size))
    console.print(arrays)


def _facts(found: Description) -> Iterator[tuple[str, str]]:
    origin = found.origin
    if origin.env:
        yield "environment", origin.env
    if origin.policy:
        yield "policy", origin.policy
    if origin.training_step is not None:
        yield "training step", f"{origin.training_step:,}"
    if origin.seed is not None:
        yield "key", " ".join(map(str, origin.seed))
    lanes = "" if found.lanes == 1 else f"{found.lanes} lanes of "
    seconds = found.seconds_per_step
    time = "" if seconds is None else f", {found.steps * seconds:.3g} s at {seconds:g} s a step"
    yield "steps", f"{lanes}{found.steps}{time}"
    if found.episodes is not None:
        every, whole = found.episodes
        yield "episodes", f"{every}, {whole} of them whole"
    if found.returns:
        mean = sum(found.returns) / len(found.returns)
        yield (
            "returns",
            f"{min(found.returns):g} to {max(found.returns):g}, {mean:g} on average, of whole ones",
        )
    size = f", {decimal(found.scene_bytes)}" if found.scene_bytes else ""
    name = f"MuJoCo {found.mujoco}" if found.mujoco else "2D drawings"
    yield "scene", f"{name}{size}"
    if origin.versions:
        yield "made with", ", ".join(f"{name} {number}" for name, number in origin.versions.items())
