from lerax_log.recordings.selection import Selection


def made(selection: Selection, returns: list[float | None]) -> list[int]:
    """Which of these recordings are made, one after another."""
    steps = []
    for step, value in enumerate(returns, 1):
        if selection.claim(step, {} if value is None else {"episode/return": value}):
            selection.settle(step, made=True)
            steps.append(step)
    return steps


def test_which_are_made():
    assert made(Selection("always"), [1, 2, 1]) == [1, 2, 3]
    assert made(Selection("best"), [None, 1.0, 3.0, 2.0, 3.0, float("nan"), 4.0]) == [2, 3, 7]
    good = Selection(lambda scalars: scalars.get("episode/return", 0) > 2)
    assert made(good, [None, 1.0, 3.0, 5.0, 4.0]) == [3, 4, 5]


def test_returns_below_zero_count():
    assert made(Selection("best"), [-500.0, -600.0, -400.0]) == [1, 3]


def test_one_that_waits_counts_and_one_that_was_not_made_does_not():
    best = Selection("best")
    assert best.claim(1, {"episode/return": 5.0})
    assert not best.claim(2, {"episode/return": 5.0})
    assert best.claim(3, {"episode/return": 6.0})
    best.settle(3, made=False)
    # The first one still waits.
    assert not best.claim(4, {"episode/return": 4.0})
    best.settle(1, made=False)
    assert best.claim(5, {"episode/return": 4.0})
    best.settle(5, made=True)
    # What hangs is given up, and may come back to life.
    best.settle(5, made=False)
    assert not best.claim(6, {"episode/return": 4.0})
