"""What breaks in a training or in where it is logged to."""

import shutil
import threading
from pathlib import Path
from typing import Any

import jax
import pytest
from jax import numpy as jnp

from lerax_log import LoggingCallback, TensorBoardBackend, WandbBackend
from support.environments import Counting
from support.faults import (
    FRAMES,
    LOGGED,
    OPTIONS,
    RECORDED,
    STAGE,
    Ordeal,
    assert_kept,
    assert_readable,
    fill,
    nothing_stays,
    same_bits,
)
from support.read_logs import read_event_files, read_wandb, wandb_history
from support.trainings import GifMemory, Training, arrays

ONCE = ".* The training goes on, and later ones are still sent. This is said once; the number of"


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("open", "nothing is logged to GifMemory, which could not be opened: OSError: open fails"),
        (
            "log_scalars",
            r"GifMemory did not take the values of step (0|16): OSError: log_scalars fai" + ONCE,
        ),
        ("log_video", "GifMemory did not take the video of step 0: OSError: log_video fai" + ONCE),
        ("close", "GifMemory did not take the end of the run: OSError: close fails" + ONCE),
    ],
)
def test_a_backend_raises(ordeal: Ordeal, method: str, says: str) -> None:
    backend = GifMemory(fails=(method,))
    ordeal(backend, says=[f"^run run: {says}"])
    assert method in backend.methods()


def when_first_due(act: Any) -> Any:
    """A `record_when` that wants every recording, and acts before the first of them."""
    calls: list[None] = []

    def record_when(scalars: dict[str, float]) -> bool:
        calls.append(None)
        if len(calls) == 1:
            act()
        return True

    return record_when


def logged(run_dir: Path) -> list[int]:
    return [event.step for event in read_event_files(run_dir).Scalars("train/loss")]


def test_the_disk_of_the_event_files_is_full_in_the_middle(
    ordeal: Ordeal, small_disk: Path, tmp_path: Path
) -> None:
    ordeal(
        TensorBoardBackend(small_disk),
        says=["TensorBoardBackend did not take .*No space left on device" + ONCE],
        record_when=when_first_due(fill(small_disk)),
        frames=104,
        kept_in=tmp_path / "elsewhere",
        kept=[],
        video_keep=False,
    )
    # A few bytes may still fit, a clip does not; what is there is whole.
    steps = logged(small_disk / "run")
    assert steps[:1] == LOGGED[:1]
    assert steps == [step for step in LOGGED if step in steps]


def test_the_disk_of_the_event_files_is_full_at_the_very_end(
    ordeal: Ordeal, small_disk: Path, tmp_path: Path
) -> None:
    # Of a clip that is longer than what is left of the file's last page.
    STAGE.at(3, 103, fill(small_disk))
    ordeal(
        TensorBoardBackend(small_disk),
        frames=104,
        says=["TensorBoardBackend did not take .*No space left on device" + ONCE],
        kept_in=tmp_path / "elsewhere",
        kept=[],
        video_keep=False,
    )
    assert logged(small_disk / "run") == LOGGED
    images = read_event_files(small_disk / "run").Images("eval/video")
    assert [image.step for image in images] == RECORDED[:3]


def test_the_folder_of_the_event_files_is_removed(ordeal: Ordeal, tmp_path: Path) -> None:
    ordeal(
        TensorBoardBackend(tmp_path / "other"),
        says=["TensorBoardBackend did not take .*FileNotFoundError: .*leave a run's folder alone"],
        record_when=when_first_due(lambda: shutil.rmtree(tmp_path / "other")),
        kept_in=tmp_path / "elsewhere",
        kept=[],
        video_keep=False,
    )


def test_wandb_has_neither_network_nor_key(
    ordeal: Ordeal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    for name in ("WANDB_API_KEY", "WANDB_MODE", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # Its threads would stay as long as the interpreter.
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = {"base_url": "http://127.0.0.1:9", "silent": True}
    backend = WandbBackend("tests", dir=tmp_path, settings=settings)
    ordeal(
        backend,
        says=["^W&B run 'run' is kept offline: 127.0.0.1 cannot be reached.*wandb sync /"],
        kept_in=tmp_path / "elsewhere",
        kept=[],
        video_keep=False,
        after=wandb.teardown,
    )
    assert backend.run_dir is not None
    history = wandb_history(read_wandb(backend.run_dir))
    assert [row["global_step"] for row in history if "train/loss" in row] == LOGGED
    assert [row["global_step"] for row in history if "eval/video/path" in row] == RECORDED


class Breaking(Counting):
    """Its state is NaN after two steps, and so is the place of its square."""

    def transition(self, state: Any, action: Any, *, key: Any) -> Any:
        next_state = super().transition(state, action, key=key)
        start = jnp.where(next_state.count > 2, jnp.nan, next_state.start)
        return type(state)(next_state.count, start)

    def observation(self, state: Any, *, key: Any) -> Any:
        return (state.count + state.start)[None]

    def render(self, state: Any, renderer: Any) -> None:
        renderer.clear()
        self.draw_square(state.count + 0 * state.start, renderer)
        renderer.draw()


def test_the_environments_states_are_nan(ordeal: Ordeal) -> None:
    ordeal(
        training=Training(Breaking()),
        says=["^6 of 12 frames are incomplete: env.render draws something with numbers"],
    )


def test_the_policy_returns_nan(ordeal: Ordeal, staged_training: Training) -> None:
    training = Training(staged_training.env, staged_training.algorithm)
    training.policy = jax.tree.map(
        lambda x: (
            x * jnp.nan if isinstance(x, jax.Array) and jnp.isdtype(x.dtype, "real floating") else x
        ),
        staged_training.policy,
    )
    ordeal(training=training, says=[])
    assert all(jnp.isnan(array).all() for array in arrays(training()) if array.ndim == 2)


def test_two_trainings_at_once(staged_training: Training, ordeal: Ordeal, tmp_path: Path) -> None:
    expected = [staged_training(seed=seed) for seed in (1, 2)]
    trained: dict[int, Any] = {}

    def train(seed: int) -> None:
        with LoggingCallback(
            TensorBoardBackend(tmp_path / "logs"),
            name=f"run {seed}",
            video_num_steps=FRAMES,
            **OPTIONS,
        ) as callback:
            trained[seed] = staged_training(callback, seed=seed)

    with nothing_stays(tmp_path):
        threads = [threading.Thread(target=train, args=(seed,)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for seed in (1, 2):
        assert same_bits(trained[seed], expected[seed - 1])
        run_dir = tmp_path / f"logs/run-{seed}"
        assert_readable(run_dir, LOGGED, RECORDED, FRAMES)
        assert_kept(run_dir / "videos", RECORDED, FRAMES)
