import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import (
    Acrobot,
    CartPole,
    ContinuousMountainCar,
    MountainCar,
    Pendulum,
)
from lerax.render import BLACK, BLUE, RED, WHITE, Abstract2DRenderer, Color

from lerax_render.paint2d.drawlist import (
    CannotTrace,
    DrawList,
    DrawListPainter,
    Layout,
    TracingRenderer,
)
from lerax_render.paint2d.offscreen import offscreen_display
from lerax_render.paint2d.renderer import HeadlessPygameRenderer

ENVS = [CartPole, Acrobot, Pendulum, MountainCar, ContinuousMountainCar]
NUM_STEPS = 12
VIEW = Layout(64, 48, 10.0, (32.0, 24.0), background=(1.0, 1.0, 1.0))


def rollout(env):
    def step(state, key):
        action_key, step_key = jr.split(key)
        action = env.action_space.sample(key=action_key)
        return env.transition(state, action, key=step_key), state

    first_key, key = jr.split(jr.key(7))
    state = env.initial(key=first_key)
    return jax.jit(lambda s: jax.lax.scan(step, s, jr.split(key, NUM_STEPS))[1])(state)


def recorder(env, layout):
    def record(state):
        renderer = TracingRenderer(layout)
        env.render(state, renderer)
        return renderer.drawlist()

    return record


@pytest.fixture(scope="module", params=ENVS, ids=lambda env: env.__name__)
def clip(request):
    """An environment, its layout, some states, and their draw list, traced under jit and vmap."""
    env = request.param()
    with offscreen_display():
        layout = Layout.of(env.default_renderer())
    states = rollout(env)
    drawlist = jax.device_get(jax.jit(jax.vmap(recorder(env, layout)))(states))
    return env, layout, states, drawlist


def state_at(states, t):
    return jax.tree.map(lambda leaf: leaf[t], states)


def test_traced_environments_give_the_pixels_of_eager_ones(clip):
    env, layout, states, drawlist = clip
    eager = HeadlessPygameRenderer(
        layout.width, layout.height, Color(*layout.background), layout.transform
    )
    frames = list(DrawListPainter(layout, layout.width, layout.height, "rgb24").paint(drawlist))

    assert len(frames) == NUM_STEPS
    different = 0
    for t, frame in enumerate(frames):
        env.render(state_at(states, t), eager)
        different += (frame != eager.as_array()).any(axis=2).sum()
        assert (frame != 255).any(axis=2).sum() > 1000
    # A number that differs in its last bit may fall on the other side of a quarter pixel.
    assert different <= 1e-5 * frames[0][..., 0].size * NUM_STEPS
    assert any((frames[0] != frame).any() for frame in frames)


def test_traced_environments_match_eager_ones(clip):
    env, layout, states, drawlist = clip
    for t in (0, NUM_STEPS - 1):
        traced = jax.tree.map(lambda leaf, t=t: leaf[t], drawlist)
        eager = recorder(env, layout)(state_at(states, t))
        assert isinstance(eager.numbers, np.ndarray)
        assert traced.commands == eager.commands
        np.testing.assert_allclose(traced.numbers, eager.numbers, rtol=1e-5, atol=1e-4)


def test_environments_can_be_recorded_in_a_scan(clip):
    env, layout, states, drawlist = clip

    def step(carry, state):
        return carry, recorder(env, layout)(state)

    scanned = jax.device_get(jax.jit(lambda s: jax.lax.scan(step, 0, s)[1])(states))

    assert scanned.commands == drawlist.commands
    np.testing.assert_allclose(scanned.numbers, drawlist.numbers, rtol=1e-5, atol=1e-5)


def test_other_sizes_show_the_same_picture_between_bars(clip):
    _, layout, _, drawlist = clip
    width, height = 2 * layout.width + 100, 2 * layout.height
    first = jax.tree.map(lambda leaf: leaf[:1], drawlist)
    (large,) = DrawListPainter(layout, width, height, "rgb24").paint(first)
    (usual,) = DrawListPainter(layout, layout.width, layout.height, "rgb24").paint(first)

    assert large.shape == (height, width, 3)
    assert (large[:, :50] == 255).all()
    assert (large[:, -50:] == 255).all()
    # Every pixel has become four.
    shrunk = large[:, 50:-50].reshape(layout.height, 2, layout.width, 2, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - usual).mean() < 0.05 * (255 - usual.astype(float)).mean() + 0.2


def test_both_pixel_formats_show_the_same(clip):
    _, layout, _, drawlist = clip
    rgb = DrawListPainter(layout, 200, 150, "rgb24").paint(drawlist)
    bgr0 = DrawListPainter(layout, 200, 150, "bgr0").paint(drawlist)
    for one, other in zip(rgb, bgr0, strict=True):
        assert (one.shape, other.shape) == ((150, 200, 3), (150, 200, 4))
        assert one.dtype == other.dtype == np.uint8
        assert (one == other[..., 2::-1]).all()


def test_rgb_frames_are_arrays_of_their_own_and_bgr0_frames_are_not(clip):
    _, layout, _, drawlist = clip
    frames = list(DrawListPainter(layout, 200, 150, "rgb24").paint(drawlist))
    copies = [frame.copy() for frame in frames]
    frames[0][:] = 7
    assert all((a == b).all() for a, b in zip(frames[1:], copies[1:], strict=True))
    bgr0 = list(DrawListPainter(layout, 200, 150, "bgr0").paint(drawlist))
    assert np.shares_memory(bgr0[0], bgr0[1])


# Drawings, rather than environments.


def record(draw, *arguments):
    renderer = TracingRenderer(VIEW)
    draw(renderer, *arguments)
    return renderer.drawlist()


def stacked(*drawlists):
    return jax.tree.map(lambda *leaves: np.stack(leaves), *drawlists)


def painted(drawlist, width=64, height=48):
    return list(DrawListPainter(VIEW, width, height, "rgb24").paint(drawlist))


def test_the_background_is_baked_without_a_difference():
    """However many of the first commands stay the same, frames look as if drawn one by one."""
    rng = np.random.default_rng(0)

    def draw(renderer, numbers):
        renderer.clear()
        renderer.draw_rect((0, 0), *np.abs(numbers[0, :2]), RED)
        renderer.draw_polyline(numbers[1:4], BLACK)
        renderer.draw_line(numbers[4], numbers[5], BLUE, 0.3)
        renderer.draw_circle(numbers[6], 0.8, Color(0.5, 0.5, 0.0))
        renderer.draw_text(numbers[7], "text", BLACK, 14)
        renderer.draw_ellipse(numbers[8], 2, 0.7, Color(0.0, 0.5, 0.0))
        renderer.draw_polygon(numbers[9:], Color(0.5, 0.0, 0.5))

    for fixed in range(12):
        shared = rng.normal(0, 1.5, (fixed, 2))
        frames = [
            record(draw, np.concatenate([shared, rng.normal(0, 1.5, (12 - fixed, 2))]))
            for _ in range(5)
        ]
        together = painted(stacked(*frames), 90, 48)
        painter = DrawListPainter(VIEW, 90, 48, "rgb24")
        for frame, one in zip(together, frames, strict=True):
            assert (frame == next(painter.paint(stacked(one)))).all()
            assert (frame != 255).any()


def test_a_painter_takes_one_list_after_another():
    painter = DrawListPainter(VIEW, 64, 48, "rgb24")

    def dot(renderer, color):
        renderer.clear()
        renderer.draw_rect((0, 0), 1, 1, color)

    for color, expected in ((RED, [219, 61, 61]), (BLACK, [0, 0, 0])):
        one = record(dot, color)
        for frame in painter.paint(stacked(one, one, one)):
            assert frame[24, 32].tolist() == expected


def test_without_a_clear_the_previous_frame_stays():
    def draw(renderer, x):
        renderer.draw_rect((x, 0), 1, 1, BLACK)

    lists = stacked(*(record(draw, x) for x in (-2.0, 0.0, 2.0)))
    assert not lists.cleared
    for pixel_format in ("rgb24", "bgr0"):
        painter = DrawListPainter(VIEW, 64, 48, pixel_format)
        dark = [(frame[..., 0] == 0).sum() for frame in painter.paint(lists)]
        dark += [(frame[..., 0] == 0).sum() for frame in painter.paint(lists)]
        assert dark == [100, 200, 300, 300, 300, 300]


def test_only_the_last_clear_counts():
    def draw(renderer):
        renderer.draw_circle((0, 0), 1, RED)
        renderer.clear()
        renderer.draw_line((0, 0), (1, 1), RED, 1)
        renderer.clear()
        renderer.draw_rect((0, 0), 1, 1, BLACK)
        renderer.draw()

    drawlist = record(draw)
    assert drawlist.cleared
    assert [command.kind for command in drawlist.commands] == ["rect"]
    assert set(np.unique(painted(stacked(drawlist))[0])) == {0, 255}


def test_nothing_drawn_is_a_picture_too():
    drawlist = record(lambda renderer: renderer.clear())
    for frame in painted(stacked(drawlist, drawlist)):
        assert (frame == 255).all()
    assert painted(DrawList(np.zeros((0, 0), np.float32), (), True)) == []


def test_text_and_colours_may_change():
    def draw(state):
        renderer = TracingRenderer(VIEW)
        renderer.clear()
        renderer.draw_rect((0, 0), 7, 7, Color(state, 1 - state, 0.0))
        renderer.draw_text((0, 0), "X", WHITE, 10 + 20 * state)
        return renderer.drawlist()

    drawlist = jax.device_get(jax.jit(jax.vmap(draw))(jnp.array([0.0, 1.0])))
    green, red = painted(drawlist)
    assert green[1, 32].tolist() == [0, 255, 0]
    assert red[1, 32].tolist() == [255, 0, 0]
    small, large = ((frame.min(axis=2) > 100).sum() for frame in (green, red))
    assert large > 3 * small > 0


def test_frames_with_numbers_that_are_not_finite_are_counted_and_painted_as_far_as_possible():
    def draw(renderer, x):
        renderer.clear()
        renderer.draw_rect((0, 0), 1, 1, BLACK)
        renderer.draw_circle((x, 0), 1, RED)
        renderer.draw_circle((x, 1), 1, RED)

    painter = DrawListPainter(VIEW, 64, 48, "rgb24")
    lists = stacked(*(record(draw, x) for x in (0.0, np.nan, np.inf, 1.0)))
    counts, red = [], []
    for frame in painter.paint(lists):
        counts.append(painter.incomplete)
        red.append((frame == (219, 61, 61)).all(axis=2).sum())
        assert frame[24, 30].tolist() in ([0, 0, 0], [219, 61, 61])
    assert counts == [0, 1, 2, 2]
    assert [count > 300 for count in red] == [True, False, False, True]
    list(painter.paint(lists))
    assert painter.incomplete == 4


# What cannot be traced.


def traced(render):
    def draw(x):
        renderer = TracingRenderer(VIEW)
        render(renderer, x)
        return renderer.drawlist()

    return jax.vmap(draw)


@pytest.mark.parametrize("wrap", [jax.jit, lambda f: f], ids=["jit", "vmap alone"])
@pytest.mark.parametrize("template", ["{}", "height {} m", "{!r}", "{0}, {0}"])
def test_text_made_from_traced_values_is_noticed(wrap, template):
    def render(renderer, x):
        renderer.draw_text((0, 0), template.format(x), BLACK)

    with pytest.raises(CannotTrace, match="made from a traced value"):
        wrap(traced(render))(jnp.arange(3.0))


@pytest.mark.parametrize(
    "tracer_text", ["Traced<float32[]>with<DynamicJaxprTrace>", "JitTracer<float32[]>"]
)
def test_text_of_older_jax_versions_is_noticed(tracer_text):
    with pytest.raises(CannotTrace):
        TracingRenderer(VIEW).draw_text((0, 0), f"x = {tracer_text}", BLACK)


def test_text_about_tracers_is_text():
    drawlist = record(lambda renderer: renderer.draw_text((0, 0), "Tracer, Traced < 3", BLACK))
    assert drawlist.commands[0].text == "Tracer, Traced < 3"


def python_if(renderer, x):
    if x > 0:
        renderer.clear()


def formatted(renderer, x):
    renderer.draw_text((0, 0), f"{x:.2f}", BLACK)


def numpy_call(renderer, x):
    renderer.draw_circle((np.sin(x), 0), 1, RED)


def hex_colour(renderer, x):
    renderer.draw_circle((0, 0), 1, Color.from_hex(Color(x, x, x).to_hex()))


@pytest.mark.parametrize("render", [python_if, formatted, numpy_call, hex_colour])
def test_what_needs_concrete_values_raises_when_traced_and_works_otherwise(render):
    with pytest.raises((jax.errors.JAXTypeError, TypeError)):
        jax.jit(traced(render))(jnp.arange(3.0))
    assert record(render, jnp.array(0.5)) is not None


def test_the_layout_can_be_read_while_tracing():
    def render(renderer, x):
        middle = int(renderer.transform.width) / 2 / float(renderer.transform.scale)
        assert renderer.width == 64
        assert float(renderer.background_color.r) == 1
        renderer.draw_circle((x - middle, 0), 1, RED)

    numbers = jax.jit(traced(render))(jnp.arange(3.0)).numbers
    assert numbers[:, 0].tolist() == pytest.approx([-3.2, -2.2, -1.2])


def test_reading_pixels_is_noticed():
    with pytest.raises(CannotTrace, match="reads the picture's pixels"):
        TracingRenderer(VIEW).as_array()


# Interfaces.


def test_the_recording_renderer_is_like_lerax_own():
    renderer = TracingRenderer(VIEW)
    assert isinstance(renderer, Abstract2DRenderer)
    assert Layout.of(renderer) == VIEW
    renderer.open()
    renderer.draw()
    renderer.close()
    assert renderer.drawlist().commands == ()


def test_a_draw_list_is_a_pytree_with_one_leaf():
    drawlist = record(lambda renderer: renderer.draw_circle((0, 0), 1, RED))
    (leaf,) = jax.tree.leaves(drawlist)
    assert leaf.dtype == np.float32
    assert hash(jax.tree.structure(drawlist)) == hash(jax.tree.structure(drawlist))
    shapes = eqx.filter_eval_shape(lambda: drawlist)
    assert shapes.commands == drawlist.commands


@pytest.mark.parametrize("shape", [(6,), (3, 5), (2, 3, 6)])
def test_numbers_that_do_not_fit_the_commands_are_refused_at_once(shape):
    drawlist = record(lambda renderer: renderer.draw_circle((0, 0), 1, RED))
    wrong = DrawList(np.zeros(shape, np.float32), drawlist.commands, True)
    with pytest.raises(ValueError, match=r"must have the shape \(T, 6\)"):
        DrawListPainter(VIEW, 64, 48, "rgb24").paint(wrong)


def test_unknown_pixel_formats_and_sizes_are_refused():
    with pytest.raises(ValueError, match='must be "rgb24" or "bgr0", got \'rgba\''):
        DrawListPainter(VIEW, 64, 48, "rgba")
    with pytest.raises(ValueError, match="pixels, 1 to 16384, got 0"):
        DrawListPainter(VIEW, 0, 48, "rgb24")
