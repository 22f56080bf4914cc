"""Painting, next to Lerax's own renderer and to bare MuJoCo; and each stage by itself."""

from collections.abc import Iterator
from typing import Any

import jax
import mujoco
from jax import random as jr
from lerax.env.classic_control import Acrobot, CartPole, MountainCar, Pendulum
from lerax.utils import unstack_pytree
from report import Section, number
from scenes import Poses, bare
from timing import Row, at_least, best_of, costs, cpu_time, exhaust, faster, psnr

from lerax_render import HeadlessMujocoRenderer, Replay, VideoWriter, capture, render, rollout
from lerax_render.mujoco.aim.camera import CameraRig
from lerax_render.naming.loading import load_env
from lerax_render.paint2d.offscreen import offscreen_display
from lerax_render.settings.picture import Picture

STEPS = 256
# Of what takes long to paint.
FEW_STEPS = 64
POSES = 8
WIDTH, HEIGHT = 640, 480
ENVS_2D = (CartPole, Acrobot, Pendulum, MountainCar)
MODELS = {"ant": "Ant", "humanoid": "Humanoid", "half_cheetah": "HalfCheetah"}
CAMERAS = ("MuJoCo's default", "the model's", "ours")


def sections() -> Iterator[Section]:
    yield Section(
        "Stages",
        f"Frames of {WIDTH}×{HEIGHT} a second, of each stage by itself.",
        table=[
            ("", "capture", "paint", "encode (MP4)"),
            *(stages(env(), STEPS) for env in ENVS_2D),
            stages(load_env("Humanoid"), FEW_STEPS),
        ],
        note="A 2D clip takes as long as ffmpeg does; a MuJoCo clip on the CPU takes as long as "
        "its painting.",
    )
    yield Section(
        "2D painting",
        "RGB arrays out of `render`, next to Lerax's `PygameRenderer` called with each state.",
        [paint_2d(env()) for env in ENVS_2D],
    )
    yield Section(
        f"MuJoCo painting, {WIDTH}×{HEIGHT}",
        "Frames of Gymnasium's models from MuJoCo's free camera. `auto` is next to "
        "`mujoco.Renderer` with its defaults; `high`, which draws as carefully as those, is next "
        "to the bare loop of `update_scene` and `render`.",
        [row for model in MODELS for row in paint_mujoco(model)],
    )
    yield Section(
        "Likeness of MuJoCo pictures",
        "PSNR in dB through three cameras: of `auto` and `high` against `mujoco.Renderer` with its "
        "defaults, and of `auto` against `high`.",
        table=[
            ("", "camera", "`auto` / MuJoCo", "`high` / MuJoCo", "`auto` / `high`"),
            *(row for model in MODELS for row in likeness(model)),
        ],
        note="The last column is what `auto` gives up: its antialiasing, which shows the more, the "
        "closer the camera is. Where the second is low, too, MuJoCo's own picture has black "
        "streaks or patches on the floor, from its shadows, and ours has not.",
    )


def stages(env: Any, steps: int) -> tuple[str, ...]:
    """Frames a second of capture, paint and encode."""

    def act() -> Replay:
        return capture(env, steps=steps)

    replay = act()
    scene = replay.scene
    with scene.painter(
        Picture(width=WIDTH, height=HEIGHT), pixel_format=scene.pixel_format
    ) as painter:

        def paint() -> None:
            exhaust(painter.paint(replay.captured))

        frames = [frame.copy() for frame in painter.paint(replay.captured)]

        def encode() -> None:
            with VideoWriter(None, 50, format="mp4", pixel_format=scene.pixel_format) as writer:
                for frame in frames:
                    writer.write(frame)

        times = best_of(act, paint, encode)
    return (type(env).__name__, *(number(steps / seconds) for seconds in times))


def paint_2d(env: Any) -> Row:
    states = rollout(env, steps=STEPS, key=jr.key(0)).states
    with offscreen_display():
        renderer = env.default_renderer()
        few = unstack_pytree(jax.tree.map(lambda x: jax.numpy.asarray(x[:24]), states))
        width, height = renderer.width, renderer.height

        def theirs() -> None:
            for state in few:
                env.render(state, renderer)
                renderer.as_array()

        def ours() -> None:
            exhaust(render(env, states, width=width, height=height))

        theirs()
        ours()
        mine, upstream = best_of(ours, theirs)
    what = f"{type(env).__name__} {width}×{height}: `render` / Lerax's renderer"
    return faster(what, STEPS / mine, len(few) / upstream, 40)


def paint_mujoco(name: str) -> list[Row]:
    poses = Poses(name, POSES)
    model, data = poses.model, poses.data
    camera = default_camera(model)
    with (
        HeadlessMujocoRenderer(model, WIDTH, HEIGHT, camera=camera) as ours,
        HeadlessMujocoRenderer(model, WIDTH, HEIGHT, camera=camera, quality="high") as high,
        mujoco.Renderer(model, HEIGHT, WIDTH) as theirs,
    ):
        loops = (
            poses.loop(lambda: ours.render(data)),
            poses.loop(lambda: high.render(data)),
            poses.loop(lambda: bare(theirs, data, camera)),
        )
        auto_seconds, high_seconds, bare_seconds = best_of(*loops)
        auto_cpu, high_cpu, bare_cpu = best_of(*loops, rounds=2, clock=cpu_time)
        fidelity = psnr(ours.render(data), bare(theirs, data, camera))
    what = f"{MODELS[name]}: `auto` / `mujoco.Renderer`"
    return [
        faster(what, POSES / auto_seconds, POSES / bare_seconds, 4),
        faster(f"{what}, CPU time", POSES / auto_cpu, POSES / bare_cpu, 4),
        at_least(f"{MODELS[name]}: likeness of `auto` to that", fidelity, 43, "dB"),
        costs(f"{MODELS[name]}: `high` / bare loop", high_seconds, bare_seconds, 1.1),
        costs(f"{MODELS[name]}: `high` / bare loop, CPU time", high_cpu, bare_cpu, 1.1),
    ]


def likeness(name: str) -> Iterator[tuple[str, ...]]:
    poses = Poses(name, POSES)
    model, data = poses.model, poses.data
    mujoco.mj_forward(model, data)
    wishes = (default_camera(model), 0, None)
    with mujoco.Renderer(model, HEIGHT, WIDTH) as theirs:
        for wish, which in zip(wishes, CAMERAS, strict=True):
            camera = CameraRig(model, wish, WIDTH / HEIGHT, mujoco.MjvOption().geomgroup).at(data)
            auto, high = (
                HeadlessMujocoRenderer(model, WIDTH, HEIGHT, camera=camera, quality=quality)
                for quality in ("auto", "high")
            )
            with auto, high:
                ours, best = auto.render(data), high.render(data)
            original = bare(theirs, data, camera)
            pairs = ((ours, original), (best, original), (ours, best))
            yield (MODELS[name], which, *(number(psnr(*pair)) for pair in pairs))


def default_camera(model: mujoco.MjModel) -> mujoco.MjvCamera:
    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, camera)
    return camera
