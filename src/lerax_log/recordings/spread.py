"""Which of many moments of a training to let go, so that the others stay spread over it."""

from collections.abc import Sequence


def most_crowded(places: Sequence[float]) -> int:
    """Return the number of the one whose loss leaves the widest gap the narrowest.

    Neither the first nor the last, unless there are no others. Where one is let go whenever there
    are more than `n`, the gaps between those that stay are at most about twice as wide as others.

    Args:
        places: In ascending order, at least one.
    """
    if len(places) < 3:
        return 0
    gaps = [after - before for before, after in zip(places, places[2:], strict=False)]
    return 1 + gaps.index(min(gaps))
