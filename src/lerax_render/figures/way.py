"""A way as a line of pieces whose colours say when it was gone, or what it brought."""

from typing import NamedTuple, Self

import numpy as np

from ..replay import Replay
from ..settings import FigureSettings
from .moments import labels
from .panels import Span

_SHADES = 64


class Way(NamedTuple):
    """A line, and what its colours say.

    Attributes:
        pieces: `float (n, 2, 2)`, the ends of its pieces as shares of a panel's width and height.
        colours: `float (n, 3)`, 0 to 1.
        scale: `float (m, 3)`, all colours from the least to the most.
        ends: What these two stand for.
    """

    pieces: np.ndarray
    colours: np.ndarray
    scale: np.ndarray
    ends: tuple[str, str]

    @classmethod
    def of(cls, replay: Replay, places: np.ndarray, settings: FigureSettings, span: Span) -> Self:
        """Return the way through places.

        Args:
            replay: What happened.
            places: `float (T, 2)`, of the span's steps; NaN is a gap, and so is where an episode
                begins.
            settings: What its colours say.
            span: The steps.
        """
        steps = slice(*span)
        if settings.color_by == "return" and replay.rewards is not None:
            values = np.cumsum(replay.rewards[steps], dtype=np.float64)
            low, high = float(values.min()), float(values.max())
            ends = f"return {low:.4g}", f"{high:.4g}"
        else:
            low, high = float(span.start), float(span.stop - 1)
            values = np.arange(*span, dtype=np.float64)
            before, after = labels(settings, [span.start, span.stop - 1], replay.seconds_per_step)
            ends = before, after
        pieces = np.stack([places[:-1], places[1:]], axis=1)
        there = np.isfinite(pieces).all(axis=(1, 2))
        if replay.episode_starts is not None:
            there &= ~replay.episode_starts[steps][1:]
        shares = (values[1:] - low) / ((high - low) or 1)
        return cls(
            pieces[there], _colours(shares[there]), _colours(np.linspace(0, 1, _SHADES)), ends
        )


def _colours(shares: np.ndarray) -> np.ndarray:
    """Return Viridis' colours, which those who see few colours tell apart, too."""
    from matplotlib import colormaps

    colours: np.ndarray = colormaps["viridis"](shares)[:, :3]
    return colours
