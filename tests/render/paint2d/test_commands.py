import equinox as eqx
import jax
import numpy as np
import pytest
from jax import numpy as jnp
from lerax.render import RED, Color, Transform

from lerax_render.paint2d.commands import Command, CommandRenderer, Pen, is_traced

COLOR = Color(0.25, 0.5, 0.75)


class Log(CommandRenderer):
    """Keeps commands, and in one array the numbers of each."""

    transform: Transform
    background_color: Color
    commands: list
    _pen: Pen = eqx.field(static=True)

    def __init__(self):
        self.transform = Transform(8, 6, 1.0, np.zeros(2))
        self.background_color = COLOR
        self._pen = Pen(self.transform, self.background_color)
        self.commands = []

    def _command(self, command, numbers):
        joined = jnp if is_traced(numbers) else np
        self.commands.append((command, joined.concatenate([n.ravel() for n in numbers])))

    def open(self): ...
    def close(self): ...
    def draw(self): ...
    def clear(self):
        self._clear_to_background()

    def as_array(self): ...


CALLS = {
    "circle": (lambda r: r.draw_circle((1, 2), 3, COLOR), 1, [1, 2, 3]),
    "ellipse": (lambda r: r.draw_ellipse((1, 2), 3, 4, color=COLOR), 1, [1, 2, 3, 4]),
    "rect": (lambda r: r.draw_rect(np.array([1, 2]), w=3, h=4, color=COLOR), 1, [1, 2, 3, 4]),
    "line": (lambda r: r.draw_line((1, 2), jnp.array([3, 4]), COLOR, 5), 2, [1, 2, 3, 4, 5]),
    "polygon": (lambda r: r.draw_polygon([(1, 2), (3, 4), (5, 6)], COLOR), 3, range(1, 7)),
    "polyline": (lambda r: r.draw_polyline(jnp.eye(2), COLOR), 2, [1, 0, 0, 1]),
    "text": (lambda r: r.draw_text((1, 2), "hello", COLOR), 1, [1, 2, 12]),
}


@pytest.mark.parametrize("kind", CALLS)
def test_each_method_gives_its_numbers(kind):
    call, num_points, expected = CALLS[kind]
    log = Log()

    call(log)

    ((command, numbers),) = log.commands
    assert command == Command(kind, num_points, "hello" if kind == "text" else "")
    assert isinstance(numbers, np.ndarray)
    assert numbers.dtype == np.float32
    assert numbers.tolist() == [*expected, 0.25, 0.5, 0.75]
    assert numbers.shape == (command.num_numbers,)


@pytest.mark.parametrize("kind", CALLS)
def test_traced_arguments_give_the_same_numbers(kind):
    def traced(x):
        log = Log()
        r, g, b = x * COLOR.r, x * COLOR.g, x * COLOR.b
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(globals(), "COLOR", Color(r, g, b))
            CALLS[kind][0](log)
        return log.commands[0][1]

    assert jax.jit(traced)(1.0).tolist() == [*CALLS[kind][2], 0.25, 0.5, 0.75]


def test_the_usual_line_is_one_unit_wide():
    log = Log()
    log.draw_line((0, 0), (1, 1), RED)
    assert log.commands[0][1][4] == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.draw_circle((1, 2, 3), 1, RED), r"center must be two numbers .* \(3,\)"),
        (lambda r: r.draw_line(1, (0, 0), RED), r"start must be two numbers .* \(\)"),
        (lambda r: r.draw_polygon([(0, 0), (1, 1)], RED), "at least 3 points, got 2"),
        (lambda r: r.draw_polyline([(0, 0)], RED), "at least 2 points, got 1"),
        (lambda r: r.draw_polygon(np.zeros((4, 3)), RED), r"\(n, 2\), got \(4, 3\)"),
    ],
)
def test_wrong_shapes_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(Log())


def test_text_that_is_no_string_is_refused():
    with pytest.raises(TypeError, match="text must be a string, got int"):
        Log().draw_text((0, 0), 7, RED)


def test_numbers_too_large_for_single_precision_become_infinite():
    log = Log()
    log.draw_circle((1e300, 0), 1, RED)
    assert log.commands[0][1][0] == np.inf
