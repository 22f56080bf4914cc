"""Whole programs that train and log, each in an interpreter of its own."""

import importlib.util
import io
import re
import signal

import numpy as np
import pytest
from PIL import Image

from lerax_log import LoggingCallback, TensorBoardBackend
from support.paths import TESTS
from support.programs import SECONDS, finished, program
from support.read_logs import read_event_files, read_wandb, wandb_history
from support.trainings import (
    ITERATIONS,
    STEPS_AN_ITERATION,
    Memory,
    Training,
)

EXAMPLES = TESTS.parent / "examples"


def test_everything_is_there_when_the_interpreter_has_exited(tmp_path):
    code = """
from support.trainings import *
from lerax_log import *
backends = [TensorBoardBackend("logs"), WandbBackend(mode="offline"), ConsoleBackend()]
callback = LoggingCallback(backends, name="run", video_interval=3, video_num_steps=20)
Training()(callback)
print("trained", flush=True)
"""
    output = finished(program(code, tmp_path, WANDB_SILENT="true"))
    assert "Traceback" not in output
    trained, *late = output.partition("trained\n")[2], output
    assert "eval/video at step 96: logs/run/videos/step_000000096.mp4 (0.4 s)" in late[0]
    assert re.search(r"training done in \d:\d\d, 96 steps", trained)
    events = read_event_files(tmp_path / "logs" / "run")
    steps = [STEPS_AN_ITERATION * (i + 1) for i in range(ITERATIONS)]
    assert [event.step for event in events.Scalars("train/loss")] == steps
    images = events.Images("eval/video")
    assert [(image.step, image.width) for image in images] == [(0, 480), (48, 480), (96, 480)]
    for image in images:
        assert image.encoded_image_string.startswith(b"GIF89a")
    (run_dir,) = (tmp_path / "wandb").glob("offline-run-*")
    history = wandb_history(read_wandb(run_dir))
    assert [row["global_step"] for row in history if "train/loss" in row] == steps
    assert [row["global_step"] for row in history if "eval/video/path" in row] == [0, 48, 96]


@pytest.mark.slow
def test_four_devices(tmp_path):
    code = """
import jax, warnings
import numpy as np
warnings.simplefilter("error")
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from support.trainings import *
from lerax_log import LoggingCallback
import equinox as eqx
assert len(jax.devices()) == 4
mesh = Mesh(jax.devices(), "seed")
training = Training()

def learn(policy, key, callback):
    return training.algorithm.learn(training.env, policy, TOTAL_STEPS, key=key, callback=callback)

size = dict(video_num_steps=5, video_width=64, video_height=48)
options = dict(video_interval=6, video_keep=False, **size)
memory = GifMemory()
with LoggingCallback(memory, name="run", **options) as callback:
    keys = jax.device_put(jr.split(jr.key(0), 8), NamedSharding(mesh, PartitionSpec("seed")))
    trained = eqx.filter_vmap(lambda key: learn(training.policy, key, callback))(keys)
    assert len(arrays(trained)[0].sharding.device_set) == 4
assert memory.names() == ["run_all", *(f"run_{i}" for i in range(8))]
for name in memory.names():
    assert len(memory.scalars("train/loss", name)) == ITERATIONS, name
assert sorted(step for step, _ in memory.videos()) == [0] * 8 + [TOTAL_STEPS] * 8

alone = GifMemory()
with LoggingCallback(alone, name="alone", **options) as callback:
    everywhere = NamedSharding(mesh, PartitionSpec())
    policy = jax.tree.map(
        lambda x: jax.device_put(x, everywhere) if eqx.is_array(x) else x, training.policy
    )
    learn(policy, jax.device_put(jr.key(0), everywhere), callback)
assert alone.names() == ["alone"]
assert len(alone.scalars("train/loss")) == ITERATIONS
assert len(alone.videos()) == 2

# Each device runs a program of its own, with two lanes in it.
mapped = Memory()
with LoggingCallback(mapped, name="mapped") as callback:
    def learn_two(keys):
        trained = eqx.filter_vmap(lambda key: learn(training.policy, key, callback))(keys)
        return eqx.filter(trained, eqx.is_array)

    each = PartitionSpec("seed")
    program = jax.jit(jax.shard_map(learn_two, mesh=mesh, in_specs=each, out_specs=each))
    for _ in range(2):
        seeded = program(keys)
    np.testing.assert_allclose(arrays(seeded)[0], arrays(trained)[0], rtol=1e-5)
    assert callback.run_names == tuple(f"mapped_{i}" for i in range(8))
assert sorted(mapped.names()) == [*(f"mapped_{i}" for i in range(8)), "mapped_all"]
for name in sorted(mapped.names())[:8]:
    steps = [step for step, _ in mapped.scalars("train/loss", name)]
    assert steps == [STEPS_AN_ITERATION * (i + 1) for i in range(2 * ITERATIONS)], name
    # Devices come in any order, lanes have theirs.
    lane = name.removeprefix("mapped")
    np.testing.assert_allclose(
        [loss for _, loss in mapped.scalars("train/loss", name)][:ITERATIONS],
        [loss for _, loss in memory.scalars("train/loss", "run" + lane)],
        rtol=1e-4,
    )
print("done")
"""
    flags = "--xla_force_host_platform_device_count=4"
    assert finished(program(code, tmp_path, XLA_FLAGS=flags)).endswith("done\n")


def test_in_double_precision(tmp_path):
    code = """
import jax, warnings
warnings.simplefilter("error")
jax.config.update("jax_enable_x64", True)
from support.trainings import *
from lerax_log import LoggingCallback
training = Training()
plain = training()
assert plain.value_head.layers[0].weight.dtype == jnp.float64
size = dict(video_num_steps=5, video_width=64, video_height=48)
memory = GifMemory()
options = dict(video_interval=1, log_interval=3, video_mode="block", video_keep=False)
with LoggingCallback(memory, **options, **size) as callback:
    assert_same_policy(training(callback), plain)
steps = [STEPS_AN_ITERATION * (i + 1) for i in range(ITERATIONS)]
assert [step for step, _ in memory.scalars("train/loss")] == steps
assert [step for step, _ in memory.scalars("episode/return")] == steps
# Half of all numbers of 64 bits are too large for a seed.
assert [step for step, _ in memory.videos()] == [0, *steps]
print("done")
"""
    assert finished(program(code, tmp_path)).endswith("done\n")


@pytest.mark.slow
def test_one_process_of_several_logs(tmp_path):
    code = """
import jax
process, address = int(sys.argv[1]) if len(sys.argv) > 1 else PROCESS, "ADDRESS"
jax.distributed.initialize(address, 2, process)
from support.trainings import *
from lerax_log import LoggingCallback
memory = Memory()
with LoggingCallback(memory) as callback:
    Training()(callback, total_steps=2 * STEPS_AN_ITERATION)
print(len(memory.names()), len(memory.calls))
"""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    processes = [
        program(code.replace("ADDRESS", address).replace("PROCESS", str(i)), tmp_path)
        for i in range(2)
    ]
    first, second = (finished(process).splitlines()[-1] for process in processes)
    assert first == "1 6"
    assert second == "0 0"


def test_what_was_logged_before_a_ctrl_c_is_on_disk(tmp_path):
    code = """
from support.trainings import *
from lerax_log import *
training = Training()
callback = LoggingCallback(TensorBoardBackend("logs"), name="run", log_interval=2)
while True:
    training(callback)
    print("trained", flush=True)
"""
    process = program(code, tmp_path)
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline() == "trained\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=SECONDS)
    assert "KeyboardInterrupt" in output
    events = read_event_files(tmp_path / "logs" / "run")
    steps = [event.step for event in events.Scalars("train/loss")]
    trainings = 3 + output.count("trained\n")
    assert steps[: trainings * ITERATIONS] == [
        STEPS_AN_ITERATION * (i + 1) for i in range(trainings * ITERATIONS)
    ]


def test_importing_the_package_loads_no_logging_library():
    code = """
import lerax_log, sys
loaded = {"jax", "wandb", "tensorboardX", "rich", "pygame", "mujoco", "lerax"} & set(sys.modules)
assert not loaded, loaded
import lerax.algorithm, lerax.env
before = set(sys.modules)
from lerax_log import LoggingCallback, TensorBoardBackend, WandbBackend, ConsoleBackend
loaded = {"wandb", "tensorboard", "rich", "pygame", "mujoco"} & set(sys.modules) - before
assert not loaded, loaded
assert dir(lerax_log) == sorted(lerax_log.__all__)
"""
    finished(program(code, TESTS))


@pytest.mark.slow
def test_a_mujoco_training(tmp_path):
    spec = importlib.util.spec_from_file_location("example", EXAMPLES / "train_mujoco.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    training = Training(example.Balance())
    memory = Memory()
    size = {"video_width": 160, "video_height": 120, "video_num_steps": 8}
    with LoggingCallback(
        [TensorBoardBackend(tmp_path), memory],
        name="run",
        video_interval=4,
        video_camera="side",
        video_overlay=False,
        **size,
    ) as callback:
        training(callback)
    assert memory.hparams()["env.dt"] == 0.04
    events = read_event_files(tmp_path / "run")
    assert len(events.Scalars("train/loss")) == ITERATIONS
    images = events.Images("eval/video")
    assert [image.step for image in images] == [0, 64, 96]
    for image in images:
        clip = Image.open(io.BytesIO(image.encoded_image_string))
        assert (clip.n_frames, clip.size) == (8, (160, 120))
        frames = []
        for index in range(clip.n_frames):
            clip.seek(index)
            frames.append(np.asarray(clip.convert("RGB"), float))
        # Sky above, floor below, the blue cart between them, and it moves.
        assert frames[0][:20].mean() > frames[0][-40:].mean() + 10 > 100
        blue = (frames[0][..., 2] > frames[0][..., 0] + 50)[60:100].sum()
        assert blue > 20
        assert np.abs(frames[0] - frames[-1]).max() > 60
