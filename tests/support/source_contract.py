"""What every kind of environment has to do, as a class to derive tests from.

A new kind starts like this, and passes all of it before it has tests of its own:

    class TestMyKind(SourceContract):
        source = MySource

        @pytest.fixture(scope="class")
        @classmethod
        def env(cls):
            return MyEnv()

`source_template` is a kind to start from. What a kind cannot do is said by the class attributes
below, which the suite then holds it to.
"""

import pickle
from typing import Any, ClassVar

import numpy as np
import pytest

from lerax_render import Replay, UnsupportedEnvError, capture, record, render
from lerax_render.replay import PART
from lerax_render.sources import Source, find_source
from lerax_render.trees import count_bytes

SIZE = {"width": 96, "height": 72}
STEPS = PART + 6  # a part that is not full


class SourceContract:
    """Behaviour that all kinds share.

    Attributes:
        source: The kind's class.
        has_replays: Whether what is captured can be painted later.
        has_lanes: Whether several rollouts advance together.
        has_camera: Whether there is a camera to choose.
        is_seeded: Whether another key gives another clip.
        most_bytes: That a captured step takes.
    """

    source: ClassVar[type[Source]]
    has_replays: ClassVar[bool] = True
    has_lanes: ClassVar[bool] = True
    has_camera: ClassVar[bool] = False
    is_seeded: ClassVar[bool] = True
    most_bytes: ClassVar[int] = 2000

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls) -> Any:
        """An environment of this kind."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def frames(cls, env: Any) -> np.ndarray:
        """A clip of it."""
        return cls.recorded(env)

    @pytest.fixture(scope="class")
    @classmethod
    def replay(cls, env: Any) -> Replay:
        if not cls.has_replays:
            pytest.skip("this kind has no replays, as another test proves")
        return capture(env, steps=STEPS, key=1)

    @staticmethod
    def recorded(env: Any, steps: int = STEPS, **options: Any) -> np.ndarray:
        options = {"key": 1, **options}
        return record(env, steps=steps, **SIZE, format="apng", **options).frames()

    def test_it_is_found(self, env):
        assert type(find_source(env)) is self.source

    def test_equal_sources_compare_equal(self, env):
        assert find_source(env) == find_source(env)

    def test_a_clip_has_a_frame_for_each_step_and_something_moves(self, frames):
        assert frames.shape == (STEPS, SIZE["height"], SIZE["width"], 3)
        assert frames.std(axis=(1, 2, 3)).min() > 3, "a frame is empty"
        assert len({frame.tobytes() for frame in frames}) > 2

    def test_the_same_key_is_the_same_clip(self, env, frames):
        np.testing.assert_array_equal(self.recorded(env), frames)

    def test_a_seed_is_a_key(self, env, frames):
        from jax import random as jr

        np.testing.assert_array_equal(self.recorded(env, key=jr.key(1)), frames)

    def test_another_key_is_another_clip(self, env, frames):
        assert (self.recorded(env, key=2) != frames).any() == self.is_seeded

    def test_a_camera_fits_or_is_refused(self, env):
        if self.has_camera:
            with pytest.raises(ValueError, match="no camera 'nowhere'"):
                self.recorded(env, steps=2, camera="nowhere")
        else:
            with pytest.raises(ValueError, match="has no camera to choose"):
                self.recorded(env, steps=2, camera=0)

    def test_a_replay_gives_the_frames_of_the_clip(self, replay, frames):
        clip = record(replay, **SIZE, format="apng")
        assert replay.steps == len(replay) == clip.num_frames == STEPS
        np.testing.assert_array_equal(clip.frames(), frames)

    def test_a_part_of_a_replay_gives_that_part_of_the_clip(self, replay, frames):
        part = replay[PART - 4 : PART + 4]
        painted = np.stack(list(render(part, **SIZE)))
        np.testing.assert_array_equal(painted, frames[PART - 4 : PART + 4])

    def test_a_replay_is_small_and_goes_to_another_process(self, replay, frames):
        sent = pickle.loads(pickle.dumps(replay))
        painted = np.stack(list(render(sent[:3], **SIZE)))
        np.testing.assert_array_equal(painted, frames[:3])
        assert count_bytes(replay.captured) / STEPS <= self.most_bytes

    def test_a_replay_knows_its_episodes(self, replay):
        starts = np.flatnonzero(replay.episode_starts).tolist()
        assert starts[0] == 0
        assert [episode.start for episode in replay.episodes] == starts
        assert replay.episodes[-1].stop == STEPS
        for episode in replay.episodes:
            rewards = replay.rewards[episode.start : episode.stop]
            assert episode.episode_return == pytest.approx(float(rewards.sum()), rel=1e-5)
            assert episode.length == episode.stop - episode.start - 1

    def test_a_replay_knows_where_it_comes_from(self, replay):
        assert replay.origin.env
        assert replay.origin.seed
        assert replay.origin.versions["lerax-render"]

    def test_there_is_no_replay_of_pixels(self, env):
        if self.has_replays:
            return
        with pytest.raises(UnsupportedEnvError, match="paints its pictures itself"):
            capture(env, steps=2)

    def test_lanes_advance_together_or_are_refused(self, env):
        if not self.has_lanes:
            with pytest.raises(
                UnsupportedEnvError, match="a grid needs an environment for each tile"
            ):
                self.recorded(env, steps=2, grid=(1, 2))
            return
        tiled = self.recorded(env, steps=6, grid=(1, 2))
        assert tiled.shape[0] == 6
        left, right = (
            tiled[..., : SIZE["width"] // 2 - 2, :],
            tiled[..., SIZE["width"] // 2 + 2 :, :],
        )
        assert left.std() > 3
        assert right.std() > 3
        if self.has_replays:
            lanes = capture(env, steps=6, key=1, lanes=2)
            assert lanes[0].scene is lanes[1].scene
            again = record(lanes, grid=(1, 2), **SIZE, format="apng")
            np.testing.assert_array_equal(again.frames(), tiled)
