"""The same key on the same machine with the same versions: the same states, pixels and files."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable

import jax
import numpy as np
import pytest
from jax import random as jr
from lerax.env.classic_control import CartPole

import lerax_render as lr
from lerax_render.mujoco import gl
from support.environments import Counting
from support.paths import ROOT

SCENE = ROOT / "assets" / "scenes" / "arm.xml"
SMALL = {"steps": 80, "width": 96, "height": 64}
# Called in this process and in others.
CLIPS: dict[str, Callable[[str], lr.Video]] = {
    "2D": lambda format: lr.record(CartPole(), format=format, key=jr.key(3), **SMALL),
    "grid": lambda format: lr.record(
        CartPole(),
        format=format,
        key=jr.key(3),
        grid=(2, 2),
        labels=list("abcd"),
        overlay=True,
        **SMALL,
    ),
    "scene": lambda format: lr.record(
        lr.Simulation(SCENE), format=format, key=jr.key(3), **{**SMALL, "steps": 12}
    ),
}


def digests() -> dict[str, str]:
    """A hash of each clip."""
    return {
        f"{kind} {format}": hashlib.sha256(make(format).data).hexdigest()
        for kind, make in CLIPS.items()
        for format in ("mp4", "gif", *(("webp", "webm", "apng") if kind == "2D" else ()))
    }


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    return digests()


def test_the_same_clip_has_the_same_bytes(here):
    again = digests()
    assert again == here
    assert len(set(here.values())) == len(here) == 9


def test_in_another_process_too(here):
    script = "import json, test_determinism; print(json.dumps(test_determinism.digests()))"
    # Hashes of texts, on which the order in sets depends, differ from process to process.
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "12345",
        # It also compiles for itself.
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), *filter(None, sys.path)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    there = json.loads(done.stdout.splitlines()[-1])
    assert there == here


def test_another_key_gives_another_clip(here):
    other = lr.record(CartPole(), format="gif", key=jr.key(4), **SMALL).data
    assert hashlib.sha256(other).hexdigest() != here["2D gif"]


def test_states_are_the_same_bit_for_bit():
    first, second = (lr.rollout(Counting(), steps=150, key=jr.key(5)) for _ in range(2))
    other = lr.rollout(Counting(), steps=150, key=jr.key(6))
    leaves = jax.tree.leaves(first)
    assert len(leaves) >= 5
    for one, again in zip(leaves, jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(one, again)
    assert not np.array_equal(first.states.start, other.states.start)


def test_pixels_do_not_depend_on_what_was_painted_before():
    env = CartPole()
    states = lr.rollout(env, steps=70, key=jr.key(7)).states
    whole = list(lr.render(env, states, width=96, height=64))
    (alone,) = lr.render(env, jax.tree.map(lambda x: x[69:], states), width=96, height=64)
    np.testing.assert_array_equal(whole[69], alone)
    assert (whole[69] != whole[0]).any()


@pytest.mark.parametrize("platform", gl.PLATFORMS)
def test_gl_draws_the_same_pixels_in_every_process(platform):
    probe = gl.probe(platform)
    if not probe.ok:
        pytest.skip(f"no {platform} here: {probe.reason}")
    script = f"""
import hashlib, mujoco, lerax_render as lr
model = mujoco.MjModel.from_xml_path({str(SCENE)!r})
data = mujoco.MjData(model)
with lr.HeadlessMujocoRenderer(model, 160, 120, gl={platform!r}, quality="high") as renderer:
    frame = renderer.render(data)
    again = renderer.render(data)
assert (frame == again).all() and frame.std() > 5
print(hashlib.sha256(frame.tobytes()).hexdigest())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    frames = {
        subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
        for _ in range(2)
    }
    assert len(frames) == 1
