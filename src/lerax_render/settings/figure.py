"""The settings of a figure: those of its pictures, and those of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from .clip import Moment
from .declarations import Text, between
from .picture import Body, Picture, Pixels, QualityName
from .texts import parsed_length

type FigureKind = Literal["strobe", "strip", "trajectory"]
type FigureFormat = Literal["png", "pdf", "svg"]

MILLIMETRES_PER_INCH = 25.4

type Length = Annotated[
    float, between(5, 2000, "millimetres"), Text("LENGTH", parsed_length, "85mm or 3.3in")
]

# Millimetres: a column and a page of the usual journals.
_COLUMN, _PAGE = 85.0, 170.0


@dataclass(frozen=True, kw_only=True)
class FigureSettings(Picture):
    """What a figure shows and how large it is in print; see `lerax_render.figure`.

    Raises:
        ValueError, TypeError: A setting is not what its type accepts, or the size is given twice.
    """

    width: Pixels | None = None
    """Width in dots, instead of print_width."""

    height: Pixels | None = None
    """Height in dots, instead of print_height."""

    kind: FigureKind = "strobe"
    """strobe, several moments in one picture, earlier ones lighter; strip, a picture of each; or
    trajectory, the way of a body or a point (default strobe)."""

    at: Annotated[int, between(1, 100)] | Annotated[Sequence[Moment], Meta(min_length=1)] | None = (
        None
    )
    """How many moments, spread evenly over the first episode; or the moments, two or more steps or
    times such as 1.5s (default: 6; of a trajectory the last one)."""

    times: Literal["seconds", "steps", "none"] | None = None
    """What says when a moment was (default: seconds, or steps where time has no unit)."""

    columns: Annotated[int, between(1, 100)] | None = None
    """Pictures in a row of a strip (default: 6, or fewer in rows of equal length)."""

    follow: Body | None = None
    """The body of a trajectory, by name or number; in 2D the number of a draw command, from 0
    (default: what gets far)."""

    color_by: Literal["time", "return"] = "time"
    """What the colours of a trajectory say."""

    quality: QualityName = "auto"
    """MuJoCo only: how much work goes into a picture (default auto: high). cinematic needs Vulkan,
    and makes strips only."""

    print_width: Length | None = None
    """Width in print, in mm or in (default: 85mm, a strip 170mm; in proportion to a height that is
    given alone)."""

    print_height: Length | None = None
    """Height in print, times and all (default: as the pictures' proportion has it)."""

    format: FigureFormat | None = None
    """File format (default: by the output's suffix, else png)."""

    dpi: Annotated[float, between(30, 2400, "dots an inch")] = 300.0
    """Dots an inch of all that is not a vector (default 300)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        printed = self.print_width is not None or self.print_height is not None
        if printed and (self.width is not None or self.height is not None):
            raise ValueError(
                "width and height in pixels are those in print times dpi: give either these or "
                "print_width and print_height"
            )
        if self.ghosts:
            raise ValueError(
                "a figure is of one replay, and has no ghosts: leave ghost out; a strobe shows "
                "several moments of it"
            )
        for name, kind in (("columns", "strip"), ("follow", "trajectory")):
            if getattr(self, name) is not None and self.kind != kind:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} is about a {kind}, and this is a {self.kind}: "
                    f"leave {name} out"
                )
        if self.color_by != "time" and self.kind != "trajectory":
            raise ValueError(
                f"color_by={self.color_by!r} is about a trajectory, and this is a {self.kind}: "
                "leave color_by out"
            )

    @property
    def page_width(self) -> int | None:
        """Width in dots, `None` where a height alone decides it."""
        if self.width is not None or self.print_width is not None:
            return self.width or self._dots(self.print_width)
        if self.height is not None or self.print_height is not None:
            return None
        return self._dots(_PAGE if self.kind == "strip" else _COLUMN)

    @property
    def page_height(self) -> int | None:
        """Height in dots, `None` where the pictures' proportion decides it."""
        return self.height or self._dots(self.print_height)

    def _dots(self, millimetres: float | None) -> int | None:
        if millimetres is None:
            return None
        return max(1, round(millimetres / MILLIMETRES_PER_INCH * self.dpi))
