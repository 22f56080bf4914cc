"""What functions raise that JAX calls back: one line, with theirs."""

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import lerax_render as lr
from support.environments import Counting, CountState


def sense(count):
    if count > 3:
        raise ValueError("the sensor is off")
    return np.float32(count)


RAISES = sense.__code__.co_firstlineno + 2
FLOAT = jax.ShapeDtypeStruct((), jnp.float32)


class Pure(Counting):
    def transition(self, state, action, *, key):
        return CountState(state.count + 1, jax.pure_callback(sense, FLOAT, state.count))


class Ordered(Counting):
    def transition(self, state, action, *, key):
        sensed = jax.experimental.io_callback(sense, FLOAT, state.count, ordered=True)
        return CountState(state.count + 1, sensed)


class Debugging(Counting):
    def transition(self, state, action, *, key):
        jax.debug.callback(sense, state.count)
        return CountState(state.count + 1, state.start)


class Drawing(Counting):
    """Draws by a callback, which traces and so is part of the compiled rollout."""

    def render(self, state, renderer):
        renderer.clear()
        self.draw_square(jax.pure_callback(sense, FLOAT, state.count), renderer)
        renderer.draw()


@pytest.mark.parametrize("kind", [Pure, Ordered, Debugging, Drawing])
def test_an_error_in_a_callback_is_one_line(kind):
    env = kind(9)
    message = rf"raised ValueError: the sensor is off, in sense \({__file__}, line {RAISES}\)$"
    for act in (lr.record, lr.capture):
        with pytest.raises(lr.RenderError, match=message) as info:
            act(env, steps=9)
        assert "\n" not in str(info.value)
        assert isinstance(info.value.__cause__, jax.errors.JaxRuntimeError)


def test_an_error_in_a_gymnasium_environment_is_one_line():
    gymnasium = pytest.importorskip("gymnasium")
    from lerax.compatibility.gym import GymToLeraxEnv

    class Stuck(gymnasium.Env):
        metadata = {"render_modes": ["rgb_array"], "render_fps": 30}
        observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        action_space = gymnasium.spaces.Discrete(2)
        render_mode = "rgb_array"
        steps = 0

        def reset(self, *, seed=None, options=None):
            return np.zeros(2, np.float32), {}

        def step(self, action):
            self.steps += 1
            if self.steps > 3:
                raise ValueError("the motor is stuck")
            return np.zeros(2, np.float32), 0.0, False, False, {}

        def render(self):
            return np.zeros((32, 32, 3), np.uint8)

    with pytest.raises(lr.RenderError, match=r"ValueError: the motor is stuck, in step \(.*line"):
        lr.record(GymToLeraxEnv(Stuck()), steps=8)
