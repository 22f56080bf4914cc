"""The run of all lanes together."""

import math
from typing import Any

import pytest

from lerax_log.backends import Progress
from lerax_log.host.run import Run
from lerax_log.host.together import MOST_WAITING, LaneBackend, Together
from lerax_log.recordings import VideoWorker
from lerax_render.runs import Facts
from support.trainings import Memory


class Watching(Memory):
    def show_progress(self, progress: Progress) -> None:
        self._call("show_progress", progress)


def make(lanes: int) -> tuple[Memory, Together, list[LaneBackend]]:
    memory = Watching()
    together = Together(Run("all", memory, None, None, VideoWorker()), lanes)
    together.learn = together.run.start(1, {}, Facts())
    return memory, together, [LaneBackend(together, lane) for lane in range(lanes)]


def test_what_every_lane_has_is_logged_with_its_spread() -> None:
    memory, _, (one, other) = make(2)
    one.log_scalars({"a": 1.0, "time/elapsed": 3.0}, 10)
    one.log_scalars({"a": 5.0}, 20)
    assert memory.scalars("a") == []
    other.log_scalars({"a": 3.0, "time/elapsed": 5.0, "own": 1.0}, 10)
    assert memory.scalars("a") == [(10, 2.0)]
    assert memory.scalars("a_std") == [(10, 1.0)]
    assert memory.scalars("time/elapsed") == [(10, 4.0)]
    other.log_scalars({"a": math.nan}, 20)
    assert [math.isnan(value) for _, value in memory.scalars("a")] == [False, True]
    tags = {tag for call in memory.calls if call[0] == "log_scalars" for tag in call[2]}
    assert tags == {"a", "a_std", "time/elapsed"}


def test_what_a_lane_alone_has_is_forgotten_in_time() -> None:
    _, together, (one, _) = make(2)
    for step in range(MOST_WAITING + 5):
        one.log_scalars({"a": 1.0}, step)
    assert len(together._waiting) == MOST_WAITING


def test_it_ends_when_every_lane_has_ended() -> None:
    memory, together, lanes = make(3)
    learn: Any = together.learn
    for lane in lanes:
        lane.show_progress(Progress("training", 1, 4, 16))
    lanes[0].show_progress(Progress("done", 4, 4, 64))
    for lane in lanes:
        assert not learn.has_ended
        lane.flush()
    assert learn.has_ended
    assert memory.methods()[-1] == "flush"
    stages = [call[2].stage for call in memory.calls if call[0] == "show_progress"]
    assert stages == ["training", "training", "done"]
    together.run.close("interrupted")


@pytest.mark.parametrize("use", ["open", "close"])
def test_a_lane_opens_and_closes_nothing(use: str) -> None:
    memory, _, (one, _) = make(2)
    before = memory.methods()
    getattr(one, use)(*(["run_0"] if use == "open" else []))
    assert memory.methods() == before
