"""Curves that stay small however long they get."""

import math

import numpy as np
import pytest

from lerax_render.runpage.curves import MOST, OVERVIEW, Curve, described


def curve_of(values, steps=None) -> Curve:
    curve = Curve()
    for number, value in enumerate(values):
        curve.add(number if steps is None else steps[number], value)
    return curve


def test_few_points_are_as_they_were_logged():
    found = described(curve_of([1.5, -2.25, 0.0]).points(), OVERVIEW)
    assert found == {"steps": [0, 1, 2], "values": [1.5, -2.25, 0.0]}


def test_what_is_logged_late_is_in_its_place():
    found = described(curve_of([3.0, 1.0, 2.0], [30, 10, 20]).points(), OVERVIEW)
    assert found == {"steps": [10, 20, 30], "values": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize("count", [OVERVIEW + 1, MOST, 5 * MOST + 3])
def test_many_points_keep_their_mean_and_their_extremes(count):
    values = np.random.default_rng(0).normal(size=count)
    values[count // 2] = 100.0
    curve = curve_of(values)
    for most in (OVERVIEW, MOST):
        found = described(curve.points(), most)
        assert min(count, most) / 2 - 1 <= len(found["steps"]) <= most
        assert np.mean(found["values"]) == pytest.approx(values.mean(), abs=0.2)
        assert max(found.get("high", found["values"])) == 100.0
        assert min(found.get("low", found["values"])) == pytest.approx(values.min())
    assert (curve.count, curve.value) == (count, values[-1])


def test_what_is_not_finite_leaves_a_gap_and_nothing_else():
    found = described(curve_of([1.0, math.nan, math.inf, 4.0]).points(), OVERVIEW)
    assert [math.isnan(value) for value in found["values"]] == [False, True, True, False]
    found = described(curve_of([1.0, math.nan] * OVERVIEW).points(), OVERVIEW)
    assert found["values"] == [1.0] * OVERVIEW
