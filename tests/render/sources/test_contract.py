"""Each kind of environment through the suite that all kinds share."""

import sys

import pytest
from jax import numpy as jnp
from lerax.env.classic_control import CartPole

from lerax_render import Simulation
from lerax_render.naming.loading import load_env
from lerax_render.sources.custom import Custom
from lerax_render.sources.gymnasium import Gymnasium, in_lerax
from lerax_render.sources.gymnasium_mujoco import GymnasiumMujoco
from lerax_render.sources.gymnax import Gymnax
from lerax_render.sources.lerax2d import Drawn, DrawnOnHost, EagerlyDrawn
from lerax_render.sources.mujoco import Mujoco
from lerax_render.sources.simulation import SimulationSource
from support import source_template
from support.environments import Captioned, Counting, OwnLook, Tiles
from support.mjx_environments import Swing
from support.paths import SCENES
from support.source_contract import SourceContract


class TestDrawn(SourceContract):
    source = Drawn
    most_bytes = 200

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return CartPole()


class TestDrawnOnHost(SourceContract):
    source = DrawnOnHost
    most_bytes = 2200

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return Tiles()


class TestEagerlyDrawn(SourceContract):
    source = EagerlyDrawn
    is_seeded = False

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return Captioned(4)


class Striped(OwnLook):
    """Brings a renderer of its own, and draws a bar that grows."""

    def render(self, state, renderer):
        renderer.frame[:] = 40
        renderer.frame[:, : 10 + 8 * int(state.count)] = 220


class TestCustom(SourceContract):
    source = Custom
    has_replays = False
    is_seeded = False

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return Striped(5)


class TestSimulation(SourceContract):
    source = SimulationSource
    has_camera = True

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return Simulation(SCENES / "arm.xml")


class TestGymnasium(SourceContract):
    source = Gymnasium
    has_replays = False

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return load_env("gym:CartPole-v1")


class TestGymnasiumInLerax(SourceContract):
    source = Gymnasium
    has_replays = False
    has_lanes = False

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return in_lerax(load_env("gym:CartPole-v1"))


class TestGymnasiumMujoco(SourceContract):
    source = GymnasiumMujoco
    has_camera = True

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return load_env("gym:InvertedPendulum-v5")


class TestGymnax(SourceContract):
    source = Gymnax
    has_replays = False

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return load_env("gymnax:CartPole-v1")


class TestMujoco(SourceContract):
    source = Mujoco
    has_camera = True

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls):
        return Swing()


class Pictured(Counting):
    """Says what it looks like: a bar that grows."""

    def picture(self, state):
        lit = jnp.arange(12) <= 2 * state.count
        return jnp.broadcast_to(jnp.where(lit[:, None], 220, 40).astype(jnp.uint8), (9, 12, 3))


class TestTemplate(SourceContract):
    source = source_template.Pictured
    is_seeded = False

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def in_the_list(cls):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "lerax_render.sources.template", source_template)
            patch.setattr("lerax_render.sources.kinds._KINDS", ("template",))
            yield

    @pytest.fixture(scope="class")
    @classmethod
    def env(cls, in_the_list):
        return Pictured(5)
