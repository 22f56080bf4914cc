"""Which simulation of a state is drawn, by which model, and when something else is."""

import copy
import pickle
from typing import Any, ClassVar

import jax
import mujoco
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env import AbstractEnvState
from lerax.render import Color, PygameRenderer
from lerax.wrapper import Identity
from mujoco import mjx

from lerax_render import HeadlessMujocoRenderer, UnsupportedEnvError, capture, record, render
from lerax_render.sources import find_source
from lerax_render.sources.custom import Custom
from lerax_render.sources.lerax2d import Drawn
from lerax_render.sources.mujoco import Mujoco
from support.environments import Mosaic
from support.mjx_environments import Swing, SwingState

SIZE = {"width": 96, "height": 72}


@pytest.fixture(scope="module")
def swing():
    return Swing()


def data_at(env, angle):
    return mjx.make_data(env.model).replace(qpos=jnp.array([angle]))


class Two(AbstractEnvState):
    before: mjx.Data
    sim_state: mjx.Data


class Unclear(AbstractEnvState):
    before: mjx.Data
    now: mjx.Data


class Wrapped(AbstractEnvState):
    env_state: Any
    before: Any


class Told(Swing):
    sim_state_name: ClassVar[str] = "now"


def angle_of(env, state):
    pose, _ = find_source(env).capture(env, state)
    return float(pose.qpos[0])


def test_of_two_simulations_sim_state_is_drawn(swing):
    one, other = data_at(swing, 1.0), data_at(swing, 2.0)
    assert angle_of(swing, Two(one, other)) == 2
    assert angle_of(Identity(swing), Wrapped(Two(one, other), one)) == 2
    assert (
        angle_of(swing, Wrapped(SwingState(other, jnp.zeros(())), SwingState(one, 0)).env_state)
        == 2
    )
    # As it has always been.
    assert angle_of(swing, Wrapped(one, None)) == 1


def test_where_it_is_not_clear_a_name_is_asked_for_and_taken(swing):
    state = Unclear(data_at(swing, 1.0), data_at(swing, 2.0))
    with pytest.raises(
        UnsupportedEnvError, match=r"Unclear has 2 mjx.Data: before, now; which one"
    ):
        angle_of(swing, state)
    with pytest.raises(UnsupportedEnvError, match='sim_state_name = "before"'):
        angle_of(swing, state)
    assert angle_of(Told(), state) == 2
    assert angle_of(Identity(Told()), Wrapped(state, None)) == 2
    with pytest.raises(UnsupportedEnvError, match="'now' is the name of none"):
        angle_of(Told(), SwingState(state.now, jnp.zeros(())))
    with pytest.raises(UnsupportedEnvError, match=r"no mjx\.Data in a Wrapped"):
        angle_of(swing, Wrapped(None, None))


class Randomised(AbstractEnvState):
    sim_state: mjx.Data
    sim_model: mjx.Model
    count: jax.Array


class Changing(Swing):
    """Each episode has a pendulum of another thickness and colour, in another place."""

    def initial(self, *, key):
        state = super().initial(key=key)
        first, second = jr.split(key)
        size = self.model.geom_size.at[1, 0].set(jr.uniform(first, minval=0.03, maxval=0.3))
        model = self.model.replace(
            geom_size=size,
            geom_rgba=self.model.geom_rgba.at[1, :3].set(jr.uniform(second, (3,))),
            body_pos=self.model.body_pos.at[1, 0].set(jr.uniform(second, minval=-0.5, maxval=0.5)),
        )
        return Randomised(state.sim_state, model, state.count)

    def transition(self, state, action, *, key):
        data = mjx.step(state.sim_model, state.sim_state.replace(ctrl=action))
        return Randomised(data, state.sim_model, state.count + 1)


@pytest.fixture(scope="module")
def changing():
    return Changing(length=4)


@pytest.fixture(scope="module")
def lanes(changing):
    return capture(changing, steps=8, lanes=2)


def expected(env, pose):
    """A picture by a model that was changed before the renderer was made."""
    model = copy.copy(env.mujoco_model)
    for name, array in pose.changes.items():
        getattr(model, name)[:] = array
    plain = pose._replace(changes=None)
    # The camera stays where it is for the scene's model.
    with HeadlessMujocoRenderer(model, **SIZE, camera=camera()) as renderer:
        return renderer.render(plain)


def camera():
    chosen = mujoco.MjvCamera()
    chosen.lookat[:], chosen.distance, chosen.azimuth = (0, 0, 0), 3, 90
    return chosen


def pose_at(captured, step):
    return type(captured)(*(field[step] for field in captured))


def test_what_an_environment_changes_in_its_model_is_drawn(changing, lanes):
    before = changing.mujoco_model.geom_size.copy()
    clips = [np.stack(list(render(lane, **SIZE, camera=camera()))) for lane in lanes]
    for lane, frames in zip(lanes, clips, strict=True):
        for step in (0, 4, 5, 7):
            wanted = expected(changing, pose_at(lane.captured, step))
            np.testing.assert_array_equal(frames[step], wanted)
    assert clips[0].std() > 8
    assert (clips[0] != clips[1]).any()
    np.testing.assert_array_equal(changing.mujoco_model.geom_size, before)
    assert (lanes[0].scene.model.geom_size == before).all()


def test_changes_are_kept_once_an_episode_and_only_where_there_are_some(changing, lanes):
    changes = lanes[0].captured.changes
    assert set(changes[0]) == {"geom_size", "geom_rgba", "body_pos"}
    assert [step for step in range(1, 8) if changes[step] is not changes[step - 1]] == [5]
    frames = list(render(lanes[0], **SIZE, camera=camera()))
    part = pickle.loads(pickle.dumps(lanes[0]))[3:6]
    np.testing.assert_array_equal(list(render(part, **SIZE, camera=camera())), frames[3:6])


def test_tiles_that_share_a_painter_show_each_its_own_model(changing, lanes):
    tiles = record(
        lanes, grid=(1, 2), width=193, height=72, camera=camera(), format="apng"
    ).frames()
    clips = [np.stack(list(render(lane, **SIZE, camera=camera()))) for lane in lanes]
    np.testing.assert_array_equal(tiles[:, :, :96], clips[0])
    np.testing.assert_array_equal(tiles[:, :, 97:193], clips[1])


def test_processes_that_paint_change_their_models(lanes):
    options = {**SIZE, "camera": 0} if lanes[0].scene.model.ncam else SIZE
    alone = list(render(lanes[0], **options))
    np.testing.assert_array_equal(list(render(lanes[0], **options, workers=2)), alone)


def test_states_of_the_users_own_bring_their_models(changing):
    states = jax.vmap(lambda key: changing.initial(key=key))(jr.split(jr.key(3), 3))
    frames = list(render(changing, states, **SIZE, camera=camera()))
    replay = capture(changing, states=states)
    for step, frame in enumerate(frames):
        np.testing.assert_array_equal(frame, expected(changing, pose_at(replay.captured, step)))
    assert len({frame.tobytes() for frame in frames}) == 3


def test_a_model_that_is_not_changed_is_drawn_as_it_is(changing):
    state = changing.initial(key=jr.key(0))
    state = Randomised(state.sim_state, changing.model, state.count)
    replay = capture(changing, states=[state])
    assert replay.captured.changes.tolist() == [None]


# What a user wrote wins.


class Sketched(Swing):
    """Draws its pendulum as a line."""

    def default_renderer(self):
        return PygameRenderer(96, 72)

    def render(self, state, renderer):
        renderer.clear()
        angle = state.sim_state.qpos[0]
        middle = jnp.array([48.0, 36.0])
        end = middle + 30 * jnp.array([jnp.sin(angle), -jnp.cos(angle)])
        renderer.draw_line(middle, end, Color(1.0, 0.0, 0.0), 4)
        renderer.draw()


class Tiled(Sketched):
    def default_renderer(self):
        return Mosaic()

    def render(self, state, renderer):
        renderer.frame[:] = int(100 + 20 * state.sim_state.qpos[0])


class MujocosOwn(Sketched):
    def default_renderer(self):
        return HeadlessMujocoRenderer(self.mujoco_model, 32, 24)


def test_an_environment_that_draws_itself_is_not_drawn_by_mujoco(swing):
    assert type(find_source(Sketched())) is Drawn
    assert type(find_source(Identity(Sketched()))) is Drawn
    assert type(find_source(Tiled())) is Custom
    for env in (swing, Identity(swing), MujocosOwn()):
        assert type(find_source(env)) is Mujoco
    frame = next(render(Sketched(), [swing.initial(key=jr.key(0))], width=96, height=72))
    assert set(map(tuple, frame.reshape(-1, 3))) >= {(255, 255, 255), (255, 0, 0)}
