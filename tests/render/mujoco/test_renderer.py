import copy
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import mujoco
import numpy as np
import pytest

from lerax_render import Camera
from lerax_render.errors import BackendUnavailableError
from lerax_render.mujoco import gl
from lerax_render.mujoco.renderer import HeadlessMujocoRenderer, Pose
from support.paths import ROOT

ASSETS = ROOT / "assets/scenes"
W, H = 160, 120

# A red ball of radius 0.5 on a green floor, seen straight from above by `top`, 5 m over the floor.
BALL = """
<mujoco>
  <visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/></visual>
  <worldbody>
    <camera name="top" pos="0 0 5"/>
    <camera name="side" pos="0 -4 0.5" xyaxes="1 0 0 0 0 1"/>
    <geom name="floor" type="plane" size="20 20 1" rgba="0 0.6 0 1"/>
    <body name="ball" pos="0 0 0.5">
      <freejoint/>
      <geom name="ball" size="0.5" rgba="0.9 0 0 1"/>
    </body>
  </worldbody>
</mujoco>
"""


def scene(name: str) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_path(str(ASSETS / f"{name}.xml"))


@pytest.fixture(scope="module")
def ball() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(BALL)


@pytest.fixture(scope="module")
def top(ball: mujoco.MjModel) -> Iterator[HeadlessMujocoRenderer]:
    with HeadlessMujocoRenderer(ball, W, H, camera="top") as renderer:
        yield renderer


@pytest.fixture(scope="module")
def hopper() -> mujoco.MjModel:
    return scene("hopper")


@pytest.fixture(scope="module")
def chasing(hopper: mujoco.MjModel) -> Iterator[HeadlessMujocoRenderer]:
    with HeadlessMujocoRenderer(hopper, W, H) as renderer:
        yield renderer


def states(model: mujoco.MjModel, count: int, steps: int = 10) -> list[mujoco.MjData]:
    """A rollout with random controls, every position in it up to date."""
    data, random, found = mujoco.MjData(model), np.random.default_rng(0), []
    if model.nkey:
        mujoco.mj_resetDataKeyframe(model, data, 0)
    for _ in range(count):
        mujoco.mj_forward(model, data)
        found.append(copy.copy(data))
        for _ in range(steps):
            data.ctrl[:] = random.uniform(-1, 1, model.nu)
            mujoco.mj_step(model, data)
    return found


def plain_pictures(
    model: mujoco.MjModel, datas: list[mujoco.MjData], camera: mujoco.MjvCamera, w: int, h: int
) -> list[np.ndarray]:
    """What mujoco.Renderer draws, which needs MUJOCO_GL to be set when mujoco is imported."""
    model = copy.copy(model)
    model.vis.global_.offwidth, model.vis.global_.offheight = w, h
    context = gl.open_context()
    frames = []
    with context.current():
        drawing = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_150.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, drawing)
        picture, viewport = mujoco.MjvScene(model, 1000), mujoco.MjrRect(0, 0, w, h)
        for data in datas:
            mujoco.mjv_updateScene(
                model, data, mujoco.MjvOption(), None, camera, mujoco.mjtCatBit.mjCAT_ALL, picture
            )
            mujoco.mjr_render(viewport, picture, drawing)
            frame = np.empty((h, w, 3), np.uint8)
            mujoco.mjr_readPixels(frame, None, viewport, drawing)
            frames.append(frame[::-1])
        drawing.free()
    context.close()
    return frames


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-10)))


def reddish(frame: np.ndarray) -> np.ndarray:
    r, g, b = np.moveaxis(frame.astype(int), -1, 0)
    return (r > 120) & (g < 60) & (b < 60)


def greenish(frame: np.ndarray) -> np.ndarray:
    r, g, b = np.moveaxis(frame.astype(int), -1, 0)
    return (g > 80) & (r < 60) & (b < 60)


# --- pictures ------------------------------------------------------------------------------------


def test_a_ball_on_the_floor(top: HeadlessMujocoRenderer, ball: mujoco.MjModel) -> None:
    frame = top.render(mujoco.MjData(ball))
    assert frame.shape == (H, W, 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    assert reddish(frame)[H // 2, W // 2]
    assert greenish(frame)[0, 0]
    # Its outline: radius 0.5 at height 0.5 under a camera 5 m up, field of view 45 degrees.
    radius = H / 2 / np.tan(np.radians(22.5)) * np.tan(np.arcsin(0.5 / 4.5))
    assert reddish(frame).sum() == pytest.approx(np.pi * radius**2, rel=0.05)
    assert (reddish(frame) | greenish(frame)).mean() > 0.97


def test_row_0_is_on_top_and_column_0_on_the_left(
    top: HeadlessMujocoRenderer, ball: mujoco.MjModel
) -> None:
    data = mujoco.MjData(ball)
    data.qpos[:2] = -1.5, 1
    rows, columns = np.nonzero(reddish(top.render(data)))
    assert rows.mean() < H / 3
    assert columns.mean() < W / 3


def test_every_kind_of_state_gives_the_same_picture(
    chasing: HeadlessMujocoRenderer, hopper: mujoco.MjModel
) -> None:
    import jax
    from mujoco import mjx

    data = states(hopper, 3)[-1]
    frame = chasing.render(data)
    assert frame.std() > 10
    pose = Pose.of(data)
    assert np.array_equal(chasing.render(pose), frame)
    moved = mujoco.MjData(hopper)
    moved.qpos[:] = data.qpos
    assert np.array_equal(chasing.render(moved), frame), "derived positions need not be there"
    device = mjx.make_data(hopper).replace(qpos=jax.numpy.asarray(data.qpos))
    assert psnr(chasing.render(device), frame) > 40
    traced = jax.jit(Pose.of)(device)
    assert np.array_equal(chasing.render(traced), chasing.render(device))


def test_mujoco_draws_the_same(hopper: mujoco.MjModel) -> None:
    datas = states(hopper, 3)
    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(hopper, camera)
    expected = plain_pictures(hopper, datas, camera, W, H)
    with HeadlessMujocoRenderer(hopper, W, H, camera=camera, quality="high") as renderer:
        for data, frame in zip(datas, expected, strict=True):
            assert frame.std() > 10
            # Not more, because the floor has no shadow on itself here, as it has in MuJoCo's.
            assert psnr(renderer.render(data), frame) > 34


@pytest.mark.parametrize("name", ["ant", "humanoid", "half_cheetah"])
def test_standard_quality_is_near_mujocos_defaults(name: str) -> None:
    envs = pytest.importorskip("gymnasium.envs.mujoco")
    path = Path(envs.__file__).parent / "assets" / f"{name}.xml"
    model = mujoco.MjModel.from_xml_path(str(path))
    datas = states(model, 2, steps=20)
    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, camera)
    expected = plain_pictures(model, datas, camera, 640, 480)
    with HeadlessMujocoRenderer(model, camera=camera, quality="standard") as renderer:
        assert min(psnr(renderer.render(d), e) for d, e in zip(datas, expected, strict=True)) >= 40


def test_what_moves_by_itself_is_drawn() -> None:
    """Mocap bodies, tendons, and lights and cameras that follow bodies."""
    model = scene("crane")
    data = mujoco.MjData(model)
    data.mocap_pos[0] += 0.2, 0.1, 0.1
    data.qpos[2] += 0.1
    mujoco.mj_forward(model, data)
    with HeadlessMujocoRenderer(model, W, H, camera="above", quality="high") as renderer:
        frame = renderer.render(Pose.of(data))
        camera = mujoco.MjvCamera()
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED.value, 0
        (expected,) = plain_pictures(model, [data], camera, W, H)
        assert frame.std() > 10
        assert psnr(frame, expected) > 40
        assert psnr(frame, renderer.render(mujoco.MjData(model))) < 35
        assert (renderer.segmentation()[..., 1] == mujoco.mjtObj.mjOBJ_TENDON).any()


def test_a_picture_does_not_depend_on_those_before(hopper: mujoco.MjModel) -> None:
    here, there = mujoco.MjData(hopper), mujoco.MjData(hopper)
    there.qpos[0] = 61.7
    with HeadlessMujocoRenderer(hopper, W, H) as renderer:
        first = renderer.render(here)
        assert first.std() > 10
        for state in (here, there, here):
            frame = renderer.render(state)
        assert np.array_equal(frame, first)


def test_light_and_camera_follow_a_robot_far_away(
    chasing: HeadlessMujocoRenderer, hopper: mujoco.MjModel
) -> None:
    data = mujoco.MjData(hopper)
    near = chasing.render(data)
    data.qpos[0] = 60  # a whole number of floor tiles
    assert psnr(chasing.render(data), near) > 30


def test_rangefinders_are_measured() -> None:
    model = scene("arm")
    data = states(model, 1)[0]
    with HeadlessMujocoRenderer(model, W, H) as renderer:
        r, g, b = np.moveaxis(renderer.render(data).astype(int), -1, 0)
    assert ((r > 200) & (g > 200) & (b < 100)).any(), "no yellow beam"


def test_contacts_can_be_shown(ball: mujoco.MjModel) -> None:
    options = mujoco.MjvOption()
    options.flags[mujoco.mjtVisFlag.mjVIS_CONTACTPOINT] = True
    options.flags[mujoco.mjtVisFlag.mjVIS_TRANSPARENT] = True
    data = mujoco.MjData(ball)
    data.qpos[2] = 0.49
    plain = HeadlessMujocoRenderer(ball, W, H, camera="side")
    shown = HeadlessMujocoRenderer(ball, W, H, camera="side", visual_options=options)
    with plain, shown:
        for state in (data, Pose.of(data)):
            assert plain.render(state).std() > 10
            shown.render(state)
            assert shown._scene.ngeom > plain._scene.ngeom


@pytest.mark.parametrize("size", [(1, 1), (33, 7), (1280, 720), (500, 900)])
def test_any_size_is_filled(size: tuple[int, int], ball: mujoco.MjModel) -> None:
    assert (ball.vis.global_.offwidth, ball.vis.global_.offheight) == (640, 480)
    with HeadlessMujocoRenderer(ball, *size, camera="top", quality="draft") as renderer:
        frame = renderer.render(mujoco.MjData(ball))
    assert frame.shape == (size[1], size[0], 3)
    assert (reddish(frame) | greenish(frame)).mean() > 0.97


def test_the_callers_objects_are_only_read(hopper: mujoco.MjModel) -> None:
    def model_bytes() -> bytes:
        buffer = np.empty(mujoco.mj_sizeModel(hopper), np.uint8)
        mujoco.mj_saveModel(hopper, None, buffer)
        return buffer.tobytes()

    def data_bytes() -> list[bytes]:
        names = ("qpos", "qvel", "ctrl", "xpos", "light_xpos", "cam_xpos", "sensordata", "contact")
        return [np.asarray(getattr(data, name)).tobytes() for name in names if name != "contact"]

    data = states(hopper, 2)[-1]
    before = model_bytes(), data_bytes()
    with HeadlessMujocoRenderer(hopper, 800, 600) as renderer:
        renderer.render(data)
        renderer.read_pixels()
        renderer.segmentation()
        assert renderer.render(data).std() > 10
    assert (model_bytes(), data_bytes()) == before


def test_frames_are_arrays_of_their_own_and_painted_ones_are_not(
    chasing: HeadlessMujocoRenderer, hopper: mujoco.MjModel
) -> None:
    first, second = states(hopper, 2, steps=40)
    kept = chasing.render(first)
    view = chasing.paint(first)
    assert np.array_equal(view, kept)
    painted = chasing.paint(second)
    assert np.shares_memory(view, painted)
    assert not np.array_equal(painted, kept)
    assert np.array_equal(chasing.render(second), painted)


# --- qualities -----------------------------------------------------------------------------------


def test_qualities_differ_and_auto_goes_by_what_draws(hopper: mujoco.MjModel) -> None:
    data = mujoco.MjData(hopper)
    frames = {}
    for quality in ("draft", "standard", "high", "auto"):
        with HeadlessMujocoRenderer(hopper, W, H, quality=quality) as renderer:
            frames[quality] = renderer.render(data)
            if quality == "auto":
                software = gl.is_software(renderer.gl_renderer)
                assert renderer.quality == ("standard" if software else "high")
                assert np.array_equal(frames["auto"], frames[renderer.quality])
    assert all(frame.std() > 10 for frame in frames.values())
    assert psnr(frames["standard"], frames["high"]) > psnr(frames["draft"], frames["high"])
    assert not np.array_equal(frames["standard"], frames["high"])


# --- depth and segmentation ----------------------------------------------------------------------


def test_depth_is_in_metres(top: HeadlessMujocoRenderer, ball: mujoco.MjModel) -> None:
    frame = top.render(mujoco.MjData(ball))
    rgb, depth = top.read_pixels()
    assert np.array_equal(rgb, frame)
    assert depth.dtype == np.float32
    assert depth.shape == (H, W)
    assert depth[H // 2, W // 2] == pytest.approx(4, abs=0.01)
    np.testing.assert_allclose(depth[greenish(frame)], 5, atol=0.01)


def test_depth_of_nothing_is_the_far_plane(ball: mujoco.MjModel) -> None:
    with HeadlessMujocoRenderer(ball, W, H, camera="side") as renderer:
        renderer.render(mujoco.MjData(ball))
        depth = renderer.read_pixels()[1]
    far = ball.vis.map.zfar * ball.stat.extent
    assert depth[0, 0] == pytest.approx(far, rel=1e-3)
    assert depth[H // 2, W // 2] == pytest.approx(3.5, abs=0.02)


def test_depth_of_an_orthographic_camera() -> None:
    model = mujoco.MjModel.from_xml_string(
        BALL.replace("<visual>", '<visual><global orthographic="true" fovy="4"/>')
    )
    above = Camera(elevation=-90, distance=5, lookat=(0, 0, 0))
    with HeadlessMujocoRenderer(model, W, H, camera=above) as renderer:
        frame = renderer.render(mujoco.MjData(model))
        depth = renderer.read_pixels()[1]
    assert reddish(frame).sum() == pytest.approx(np.pi * (0.5 * H / 4) ** 2, rel=0.05)
    assert depth[H // 2, W // 2] == pytest.approx(4, abs=0.01)
    np.testing.assert_allclose(depth[greenish(frame)], 5, atol=0.01)


def test_segmentation_names_objects(ball: mujoco.MjModel) -> None:
    with HeadlessMujocoRenderer(ball, W, H, camera="side") as renderer:
        frame = renderer.render(mujoco.MjData(ball))
        found = renderer.segmentation()
        assert np.array_equal(renderer.read_pixels()[0], frame)
        assert np.array_equal(renderer.render(mujoco.MjData(ball)), frame)
    assert found.dtype == np.int32
    assert found.shape == (H, W, 2)
    geom = int(mujoco.mjtObj.mjOBJ_GEOM)
    assert found[0, 0].tolist() == [-1, -1]
    assert found[H // 2, W // 2].tolist() == [ball.geom("ball").id, geom]
    assert found[-1, 0].tolist() == [ball.geom("floor").id, geom]
    # Antialiasing leaves single pixels between two objects.
    assert ((found[..., 0] == ball.geom("ball").id) == reddish(frame)).mean() > 0.98


def test_reading_before_painting(ball: mujoco.MjModel) -> None:
    with HeadlessMujocoRenderer(ball, W, H) as renderer:
        for read in (renderer.read_pixels, renderer.segmentation):
            with pytest.raises(RuntimeError, match=r"call render\(state\) first"):
                read()


# --- states that cannot be painted ---------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_the_last_good_pose_stands_in_for_a_bad_one(
    bad: float, top: HeadlessMujocoRenderer, ball: mujoco.MjModel
) -> None:
    data = mujoco.MjData(ball)
    data.qpos[0] = 1
    good = top.render(data)
    data.qpos[1] = bad
    assert not Pose.of(data).is_finite()
    assert np.array_equal(top.render(data), good)
    assert reddish(good).any()


def test_a_bad_first_pose_leaves_the_models_own(ball: mujoco.MjModel) -> None:
    data = mujoco.MjData(ball)
    with HeadlessMujocoRenderer(ball, W, H, camera="top") as renderer:
        expected = renderer.render(data)
    data.qpos[:] = np.nan
    with HeadlessMujocoRenderer(ball, W, H, camera="top") as renderer:
        assert np.array_equal(renderer.render(data), expected)


def test_what_is_no_state_of_this_model(
    top: HeadlessMujocoRenderer, ball: mujoco.MjModel, hopper: mujoco.MjModel
) -> None:
    with pytest.raises(TypeError, match="got dict; pass the state's data"):
        top.render({"qpos": 1})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"qpos has shape \(6,\), the model's has \(7,\)"):
        top.render(mujoco.MjData(hopper))
    pose = Pose.of(mujoco.MjData(ball))
    batch = Pose(*(np.stack([field, field]) for field in pose))
    with pytest.raises(ValueError, match="pass one state at a time"):
        top.render(batch)
    assert top.render(pose).std() > 10


# --- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "width must be a whole number of pixels, 1 to 16384, got 0"),
        ({"height": 16385}, "height must be a whole number of pixels, 1 to 16384, got 16385"),
        ({"max_geom": 0}, "max_geom must be 1 to 1000000, got 0"),
        ({"quality": "best"}, "quality must be one of auto, draft, standard, high, got 'best'"),
        ({"gl": "glfw"}, "gl must be one of egl, osmesa"),
        ({"camera": "under"}, "no camera 'under'; it has top, side"),
        ({"camera": 2}, "no camera 2; it has top, side"),
        ({"camera": Camera(track="dog")}, "no body 'dog'; it has world, ball"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str, ball: mujoco.MjModel) -> None:
    with pytest.raises(ValueError, match=message):
        HeadlessMujocoRenderer(ball, **arguments)  # type: ignore[arg-type]


def test_arguments_of_the_wrong_type(ball: mujoco.MjModel) -> None:
    with pytest.raises(TypeError, match=r"model must be a mujoco\.MjModel, got str"):
        HeadlessMujocoRenderer("hopper.xml")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="camera must be"):
        HeadlessMujocoRenderer(ball, camera=1.5)  # type: ignore[arg-type]
    for side in (640.0, True):
        with pytest.raises(TypeError, match="width must be a whole number of pixels"):
            HeadlessMujocoRenderer(ball, width=side)  # type: ignore[arg-type]


def test_a_size_beyond_this_gl(ball: mujoco.MjModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on GL implementations with smaller framebuffers than the one here."""
    real = gl.open_context

    def small(name: str | None = None) -> gl.Context:
        context = real(name)
        context.max_size = 100
        return context

    monkeypatch.setattr(gl, "open_context", small)
    with pytest.raises(ValueError, match="width must be a whole number of pixels, 1 to 100"):
        HeadlessMujocoRenderer(ball, 101, 50)


def test_too_many_shapes_are_noted_once(
    ball: mujoco.MjModel, caplog: pytest.LogCaptureFixture
) -> None:
    with HeadlessMujocoRenderer(ball, W, H, camera="top", max_geom=1) as renderer:
        for _ in range(3):
            frame = renderer.render(mujoco.MjData(ball))
    assert greenish(frame).any()
    assert [record.getMessage() for record in caplog.records] == [
        "the picture shows only the first 1 shapes; raise max_geom"
    ]


def test_no_gl_platform(ball: mujoco.MjModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "disable")
    with pytest.raises(BackendUnavailableError, match="MUJOCO_GL=disable"):
        HeadlessMujocoRenderer(ball)


# --- life ----------------------------------------------------------------------------------------


def test_a_closed_renderer_says_so(ball: mujoco.MjModel) -> None:
    renderer = HeadlessMujocoRenderer(ball, W, H)
    renderer.render(mujoco.MjData(ball))
    renderer.close()
    renderer.close()
    for use in (lambda: renderer.render(mujoco.MjData(ball)), renderer.read_pixels):
        with pytest.raises(RuntimeError, match="closed"):
            use()


@pytest.mark.parametrize("end", ["close", "collect"])
def test_the_end_of_one_renderer_harms_no_other(end: str, hopper: mujoco.MjModel) -> None:
    """Textures have numbers of their own in each context, and both begin at 1."""
    data = mujoco.MjData(hopper)
    first, second = HeadlessMujocoRenderer(hopper, W, H), HeadlessMujocoRenderer(hopper, W, H)
    expected = second.render(data)
    assert expected.std() > 10
    first.render(data)
    if end == "close":
        first.close()
    del first
    gc.collect()
    assert np.array_equal(second.render(data), expected)
    second.close()


def test_a_program_keeps_its_own_context(
    chasing: HeadlessMujocoRenderer, hopper: mujoco.MjModel
) -> None:
    from lerax_render.mujoco.gl import egl

    context = gl.open_context("egl")
    assert egl._library is not None
    with context.current():
        mine = egl._library.eglGetCurrentContext()
        assert chasing.render(mujoco.MjData(hopper)).std() > 10
        HeadlessMujocoRenderer(hopper, W, H).close()
        assert egl._library.eglGetCurrentContext() == mine
    context.close()


def in_thread(use: Callable[[], object]) -> object:
    found: list[object] = []

    def work() -> None:
        try:
            found.append(use())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


def test_another_thread_is_turned_away_but_may_close(ball: mujoco.MjModel) -> None:
    data = mujoco.MjData(ball)
    renderer = HeadlessMujocoRenderer(ball, W, H)
    error = in_thread(lambda: renderer.render(data))
    assert isinstance(error, RuntimeError)
    assert "on the thread" in str(error)
    assert renderer.render(data).std() > 10
    assert in_thread(renderer.close) is None


def test_threads_draw_at_once_with_renderers_of_their_own(hopper: mujoco.MjModel) -> None:
    datas = states(hopper, 4, steps=40)
    with HeadlessMujocoRenderer(hopper, W, H) as renderer:
        expected = [renderer.render(data) for data in datas]
    assert not np.array_equal(expected[0], expected[-1])
    found: dict[int, list[np.ndarray]] = {}

    def work(index: int) -> None:
        with HeadlessMujocoRenderer(hopper, W, H) as renderer:
            found[index] = [renderer.render(data) for data in datas]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for frames in found.values():
        assert all(np.array_equal(a, b) for a, b in zip(frames, expected, strict=True))


def test_many_lives_leave_nothing(ball: mujoco.MjModel) -> None:
    def resident() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def live(count: int) -> None:
        for index in range(count):
            renderer = HeadlessMujocoRenderer(ball, 64, 48, quality="draft")
            if not index % 8:
                assert renderer.render(mujoco.MjData(ball)).any()
            if index % 2:
                renderer.close()
            del renderer

    live(10)
    gc.collect()
    descriptors, memory, tasks = (
        len(os.listdir("/proc/self/fd")),
        resident(),
        len(os.listdir("/proc/self/task")),
    )
    live(60)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert len(os.listdir("/proc/self/task")) <= tasks
    # One context of this size holds more than 0.5 MB.
    assert resident() - memory < 10e6


@pytest.mark.parametrize(
    "end",
    [
        "",
        "raise SystemExit",
        "import threading; thread = threading.Thread(target=draw); thread.start(); thread.join()",
        "kept[0].cycle = kept[0]; kept.clear()",
    ],
)
def test_exit_with_open_renderers_is_silent(end: str) -> None:
    script = f"""
import mujoco
from lerax_render.mujoco.renderer import HeadlessMujocoRenderer
model = mujoco.MjModel.from_xml_path({str(ASSETS / "hopper.xml")!r})
kept = []
def draw():
    kept.append(HeadlessMujocoRenderer(model, 64, 48))
    assert kept[-1].render(mujoco.MjData(model)).std() > 10
draw()
{end}
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_beside_mujocos_own_renderer() -> None:
    """The EGL display is one for the process, and mujoco.egl ends it at exit."""
    pytest.importorskip("OpenGL")
    script = f"""
import mujoco
from lerax_render.mujoco.renderer import HeadlessMujocoRenderer
model = mujoco.MjModel.from_xml_path({str(ASSETS / "hopper.xml")!r})
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
theirs, ours = mujoco.Renderer(model, 48, 64), HeadlessMujocoRenderer(model, 64, 48)
theirs.update_scene(data)
first = theirs.render()
mine = ours.render(data)
ours.close()
assert first.std() > 10 and (theirs.render() == first).all()
ours = HeadlessMujocoRenderer(model, 64, 48)
theirs.close()
assert (ours.render(data) == mine).all()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "MUJOCO_GL": "egl"},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_visual_options_may_be_flags_as_in_lerax(ball):
    data = mujoco.MjData(ball)
    transparent = int(mujoco.mjtVisFlag.mjVIS_TRANSPARENT)
    option = mujoco.MjvOption()
    option.flags[transparent] = True
    pictures = []
    for wish in (None, option, {transparent: True}):
        with HeadlessMujocoRenderer(ball, W, H, visual_options=wish) as renderer:
            pictures.append(renderer.render(data))

    assert (pictures[0] != pictures[1]).any()
    np.testing.assert_array_equal(pictures[1], pictures[2])
