"""Clips by their settings: what they make, and when two of them are the same."""

import dataclasses
import pickle
from pathlib import Path

import jax
import numpy as np
import pytest
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy

import lerax_render
from lerax_render import record
from lerax_render.batch.clip import Clip
from support.paths import ROOT

SCENE = (ROOT / "assets/scenes/hopper.xml").read_text()
SMALL = {"steps": 4, "width": 64, "height": 48, "format": "apng"}


def test_it_makes_what_record_makes(tmp_path):
    policy = MLPActorCriticPolicy(CartPole(), feature_size=4, key=jax.random.key(0))
    policy.serialize(tmp_path / "policy.eqx")
    jax.effects_barrier()
    clip = Clip(
        env="CartPole",
        env_args={"dt": 0.05},
        policy=("policy.eqx",),
        policy_args={"feature_size": 4},
        seed=3,
        deterministic=True,
        overlay=("step",),
        folder=tmp_path,
        **SMALL,
    )
    counts = []
    video = pickle.loads(pickle.dumps(clip)).record(tmp_path / "clip.apng", counts.append)

    expected = record(
        CartPole(dt=0.05),
        policy,
        steps=4,
        width=64,
        height=48,
        key=jax.random.key(3),
        deterministic=True,
        overlay=["step"],
        format="apng",
    )
    np.testing.assert_array_equal(video.frames(), expected.frames())
    assert video.fps == 20
    assert sum(counts) == 4


def test_files_are_found_from_its_folder_and_cameras_by_their_settings(tmp_path):
    (tmp_path / "scene.xml").write_text(SCENE)
    clip = Clip(env="scene.xml", folder=tmp_path, camera={"azimuth": 30.0}, **SMALL)
    near = clip.record(tmp_path / "a.apng").frames()
    far = dataclasses.replace(clip, camera={"azimuth": 30.0, "distance": 20.0})

    assert np.abs(far.record(tmp_path / "b.apng").frames().astype(int) - near).mean() > 2
    with pytest.raises(ValueError, match="there is no setting zoom"):
        dataclasses.replace(clip, camera={"zoom": 2})


def test_fingerprints_tell_apart_what_looks_different(tmp_path, monkeypatch):
    (tmp_path / "policy.eqx").write_bytes(b"one")
    (tmp_path / "env.py").write_text("x = 1")
    clip = Clip(env="env.py:Env", policy=("policy.eqx",), folder=tmp_path)
    seen = {clip.fingerprint()}

    def changed(value: str) -> None:
        assert value not in seen
        seen.add(value)

    for change in (
        {"seed": 1},
        {"env": "env.py:Other"},
        {"env_args": {"dt": 0.1}},
        {"camera": {"azimuth": 3.0}},
        {"overlay": ("step",)},
        {"policy": ()},
    ):
        changed(dataclasses.replace(clip, **change).fingerprint())
    (tmp_path / "policy.eqx").write_bytes(b"two")
    changed(clip.fingerprint())
    (tmp_path / "env.py").write_text("x = 2")
    changed(clip.fingerprint())
    (tmp_path / "policy.eqx").unlink()
    changed(clip.fingerprint())
    monkeypatch.setattr("lerax_render.batch.clip.__version__", lerax_render.__version__ + "+1")
    changed(clip.fingerprint())


def test_fingerprints_do_not_depend_on_where_things_are(tmp_path):
    prints = set()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.eqx").write_bytes(b"the same")
        prints.add(
            Clip(
                env="CartPole",
                env_args={"a": 1, "b": 2} if folder == "one" else {"b": 2, "a": 1},
                policy=(f"{folder}.eqx",),
                folder=tmp_path / folder,
            ).fingerprint()
        )
    assert len(prints) == 1


def test_clips_can_be_keys_whatever_their_arguments_are():
    arguments = {"sizes": [1, 2], "options": {"a": np.zeros(2)}}
    clip = Clip(env="CartPole", env_args=arguments, policy_args={"width": [8]}, labels=["a"])
    same = dataclasses.replace(clip, folder="elsewhere", workers=3)
    other = Clip(env="CartPole", env_args={"sizes": [1]})
    assert {clip: "clip", other: "other"}[same] == "clip"
    assert clip in {clip, other}


@pytest.mark.parametrize("policy", ["policy.eqx", Path("policy.eqx"), ["policy.eqx"]])
def test_a_text_or_a_path_is_one_policy(policy):
    assert Clip(env="CartPole", policy=policy) == Clip(env="CartPole", policy=("policy.eqx",))
    with pytest.raises(FileNotFoundError, match=r"no policy file policy\.eqx"):
        Clip(env="CartPole", policy=policy).record()


def test_bytes_are_one_policy():
    assert Clip(env="CartPole", policy=b"abc").policy == (b"abc",)


def test_an_environment_itself_is_recorded_without_a_clip():
    with pytest.raises(TypeError, match=r"env must be the name of .*; record\(env, \.\.\.\)"):
        Clip(env=CartPole())


def test_an_environments_own_refusal_is_an_error_that_names_it(tmp_path):
    (tmp_path / "envs.py").write_text(
        "def heavy(mass):\n    raise ValueError(f'mass must be positive, got {mass}')\n"
    )
    clip = Clip(env="envs.py:heavy", env_args={"mass": -1}, folder=tmp_path)
    with pytest.raises(ValueError, match=r"envs.py:heavy cannot be made: mass must be positive"):
        clip.record()
