"""What gets into a page, without a browser."""

from collections.abc import Iterator

import mujoco
import numpy as np
import pytest

from lerax_render.mujoco import Pose, poses
from lerax_render.player import make_page, pack_2d, pack_mujoco
from lerax_render.player.blob import Blob
from lerax_render.replay import Replay
from lerax_render.settings import Picture
from support.paths import ROOT
from support.stages import swung


def test_a_model_that_changes_in_each_step_is_gone_through_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = mujoco.MjModel.from_xml_path(str(ROOT / "assets/scenes/arm.xml"))
    replay, view = swung(model, 30)
    changes = np.empty(30, object)
    changes[:] = [{"geom_size": model.geom_size * (1 + step / 30)} for step in range(30)]
    changed = Replay(replay.scene, replay.captured._replace(changes=changes), 0.02)
    seen = []

    def counted(captured: Pose) -> Iterator[Pose]:
        for pose in poses(captured):
            seen.append(pose)
            yield pose

    monkeypatch.setattr(pack_mujoco, "poses", counted)
    make_page([changed], Picture(), views=[view])
    assert len(seen) == 30


def test_of_letters_without_end_some_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_2d, "_MOST_LETTERS", 3)
    packed = pack_2d._pack_texts(Blob(), ["abcd", "ad"], np.array([10.0, 10.0]))
    assert len(packed["letters"]["widths"]) == 3
    assert [[number for number, _, _ in each["letters"]] for each in packed["texts"]] == [
        [0, 1, 2],
        [0],
    ]
