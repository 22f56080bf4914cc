"""Settings: what they accept, from whom, and what a new one costs."""

import inspect
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
import tyro
from lerax.env.classic_control import CartPole

import lerax_render as lr
from lerax_render.batch import Clip
from lerax_render.cli.options import BOXES, given, options_of
from lerax_render.compose import LINES
from lerax_render.gallery.manifest import read_manifest
from lerax_render.mujoco import CINEMATIC, NAMES
from lerax_render.settings import FigureSettings
from lerax_render.settings.checks import checked
from lerax_render.settings.clip import FormatName, LineName, PresetName, Settings
from lerax_render.settings.declarations import between, settings_of
from lerax_render.settings.picture import Camera, Picture, QualityName
from lerax_render.video import ALL_FORMATS, PRESETS


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"width": np.int64(64)}, 64),
        ({"height": np.uint8(64)}, 64),
        ({"width": jnp.int32(64)}, 64),
        ({"max_size": np.int64(5)}, 5),
        ({"steps": np.int16(3)}, 3),
        ({"workers": np.int64(2)}, 2),
        ({"grid": [np.int64(2), 3]}, (2, 3)),
        ({"grid": np.array([2, 3])}, (2, 3)),
        ({"fps": np.float32(12.5)}, 12.5),
        ({"fps": Fraction(25, 2)}, 12.5),
        ({"fps": 30}, 30.0),
        ({"labels": ["a", "b"]}, ("a", "b")),
        ({"labels": "a text"}, ("a text",)),
        ({"overlay": "step"}, ("step",)),
        ({"overlay": [len, "time"]}, (len, "time")),
        ({"overlay": True}, True),
        ({"deterministic": np.True_}, True),
        ({"camera": "side"}, "side"),
        ({"camera": np.int64(1)}, 1),
        ({"camera": {"azimuth": 30, "lookat": [0, 0, 1]}}, Camera(azimuth=30, lookat=(0, 0, 1))),
        ({"camera": Camera(lookat=np.ones(3))}, Camera(lookat=(1, 1, 1))),
    ],
)
def test_settings_are_kept_in_one_form(given, kept):
    settings = Settings(**given)
    value = getattr(settings, next(iter(given)))
    assert (value, type(value)) == (kept, type(kept))
    assert hash(settings) == hash(pickle.loads(pickle.dumps(Settings(**given))))


def test_a_camera_of_mujocos_is_kept_as_it_is():
    camera = mujoco.MjvCamera()
    assert Picture(camera=camera).camera is camera


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"width": 0}, ValueError, "width must be a whole number of pixels, 1 to 16384, got 0"),
        ({"width": 16385}, ValueError, "1 to 16384, got 16385"),
        (
            {"width": 64.0},
            TypeError,
            "width must be a whole number of pixels, 1 to 16384, got 64.0",
        ),
        ({"height": True}, TypeError, "height must be a whole number .* got True"),
        ({"height": "64"}, TypeError, "height must be a whole number .* got '64'"),
        ({"width": np.float64(64)}, TypeError, "width must be a whole number .* got np.float64"),
        ({"width": np.array([1, 2])}, TypeError, "width must be a whole number"),
        ({"fps": 0}, ValueError, "fps must be a number of frames a second, 0.01 to 1000, got 0"),
        ({"fps": float("nan")}, ValueError, "fps must be a number .* got nan"),
        ({"fps": "fast"}, TypeError, "fps must be a number .* got 'fast'"),
        ({"steps": 0}, ValueError, "steps must be a whole number, 1 to 1000000000, got 0"),
        ({"steps": None, "workers": 0}, ValueError, "workers must be a whole number, 1 to 1000"),
        ({"quality": "best"}, ValueError, "quality must be one of auto, .*cinematic, got 'best'"),
        ({"quality": 3}, TypeError, "quality must be one of auto"),
        ({"quality": None}, TypeError, "quality must be one of auto"),
        ({"overlay": ["speed"]}, ValueError, r"overlay must be .* got \['speed'\]"),
        ({"overlay": 3}, TypeError, "overlay must be true or false or a list, each item one of st"),
        ({"labels": [3]}, TypeError, r"labels must be a list, each item a text, got \[3\]"),
        ({"grid": (2,)}, ValueError, "grid must be rows and columns, 1 to 100 each, got"),
        ({"grid": (0, 3)}, ValueError, "grid must be rows and columns"),
        ({"grid": (2.0, 3)}, TypeError, "grid must be rows and columns"),
        ({"grid": "2x3"}, TypeError, "grid must be rows and columns, 1 to 100 each, got '2x3'"),
        ({"max_size": "5MB"}, TypeError, "max_size must be a whole number of bytes, at least 1"),
        (
            {"max_size": 0},
            ValueError,
            "max_size must be .* of bytes, at least 1, got 0",
        ),
        ({"camera": 1.5}, TypeError, "camera must be a camera's name, its number, some of azimuth"),
        ({"camera": True}, TypeError, "camera must be .* got True"),
        ({"camera": -1}, ValueError, "camera must be .* got -1"),
        (
            {"camera": {"zoom": 2}},
            ValueError,
            "camera: there is no setting zoom; there are",
        ),
        ({"camera": {"azimuth": "left"}}, TypeError, "camera.azimuth must be a finite number, got"),
        ({"camera": {"distance": 0}}, ValueError, "camera.distance must be .* above 0, got 0"),
        ({"camera": {"track": 1, "lookat": (0, 0, 0)}}, ValueError, "not both"),
    ],
)
def test_what_does_not_fit_is_said_with_what_would(given, error, message):
    with pytest.raises(error, match=message):
        Settings(**given)


def test_errors_quote_long_values_in_part():
    with pytest.raises(TypeError, match="got 'xxx") as error:
        Settings(width="x" * 10**6)
    assert len(str(error.value)) < 400


def keywords(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: each for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}


def test_record_has_a_keyword_for_each_setting():
    own = {"key", "progress"}
    assert set(keywords(lr.record)) - own == {field.name for field in fields(Settings)}


def test_render_has_a_keyword_for_each_setting_of_a_picture():
    own = {"workers"}
    assert set(keywords(lr.render)) - own == {field.name for field in fields(Picture)}


def test_each_name_that_a_setting_lists_is_one():
    assert get_args(FormatName.__value__) == tuple(ALL_FORMATS)
    assert get_args(PresetName.__value__) == tuple(PRESETS)
    assert get_args(LineName.__value__) == tuple(LINES)
    assert get_args(QualityName.__value__) == (*NAMES, CINEMATIC)


@dataclass(frozen=True, kw_only=True)
class WithTitle(Clip):
    """What a new setting costs: a field, its type and its docstring."""

    title: Literal["big", "small"] | None = None
    """Size of the title (default: no title)."""

    crf: Annotated[int, between(0, 51)] = 20
    """Constant rate factor of an MP4."""

    shown: Sequence[Literal["contacts", "forces"]] = ()
    """MuJoCo only: what else is drawn."""


def on_command_line(*words: str) -> WithTitle:
    options = tyro.cli(options_of(WithTitle)(), args=["CartPole", *words])
    return WithTitle(**given(options, WithTitle))


def in_manifest(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> WithTitle:
    monkeypatch.setattr("lerax_render.gallery.manifest.Clip", WithTitle)
    (folder / "gallery.toml").write_text(f'[[clips]]\nenv = "CartPole"\n{line}')
    return read_manifest(folder / "gallery.toml").entries[0].clip


def test_a_new_setting_appears_wherever_settings_are_given(tmp_path, monkeypatch, capsys):
    expected = WithTitle(env="CartPole", title="big", crf=3, shown=("forces",))
    assert on_command_line("--title", "big", "--crf", "3", "--shown", "forces") == expected
    lines = 'title = "big"\ncrf = 3\nshown = ["forces"]'
    assert in_manifest(tmp_path, monkeypatch, lines) == expected
    assert on_command_line() == WithTitle(env="CartPole")
    assert expected.fingerprint() != WithTitle(env="CartPole").fingerprint()

    with pytest.raises(SystemExit):
        on_command_line("--help")
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--title {big,small} Size of the title (default: no title)." in shown
    assert "--crf NUMBER Constant rate factor of an MP4 (default 20)." in shown


def test_a_new_setting_is_checked_wherever_it_is_given(tmp_path, monkeypatch):
    mistake = "crf must be a whole number, 0 to 51, got 52"
    for give in (
        lambda: WithTitle(env="CartPole", crf=52),
        lambda: on_command_line("--crf", "52"),
        lambda: in_manifest(tmp_path, monkeypatch, "crf = 52"),
    ):
        with pytest.raises(ValueError, match=mistake):
            give()
    with pytest.raises(ValueError, match="clip 'CartPole': there is no key crv; did you mean"):
        in_manifest(tmp_path, monkeypatch, "crv = 3")


def test_every_setting_has_help_that_says_its_default():
    helps = {
        field.name: field
        for box in fields(options_of(Clip)())
        for field in fields(box.type.__origin__)
    }
    assert helps.keys() == {name for name, each in settings_of(Clip).items() if each.is_written}
    assert settings_of(Clip).keys() - helps.keys() == {"folder", "decorate"}
    for name, field in helps.items():
        text = field.type.__metadata__[-1].help
        assert text, name
        assert not text.startswith("Of "), name
        assert text.endswith("."), name


@pytest.mark.parametrize("cls", [Clip, FigureSettings])
def test_every_setting_has_its_box_in_the_help(cls):
    assert not {field.name for field in fields(options_of(cls)())} - BOXES.keys()


@pytest.mark.parametrize(
    ("value", "written", "kept"),
    [(False, True, None), ("2x3", True, (2, 3)), ([2, 3], True, (2, 3)), (None, False, None)],
)
def test_manifests_write_what_python_writes_otherwise(value, written, kept):
    kind = settings_of(Settings)["grid"].kind
    assert checked("grid", kind, value, written=written) == kept


class Index:
    """What is a whole number without being one of Python's or NumPy's."""

    def __index__(self) -> int:
        return 32


@pytest.mark.parametrize("size", [np.int64(32), np.uint16(32), jnp.int32(32), Index()])
def test_any_whole_number_is_a_size_wherever_one_is_taken(size):
    env, model = CartPole(), mujoco.MjModel.from_xml_string("<mujoco/>")
    small = {"width": size, "height": size}
    assert lr.record(env, steps=1, **small, format="apng").frames().shape == (1, 32, 32, 3)
    assert next(lr.render(lr.capture(env, steps=1), **small)).shape == (32, 32, 3)
    assert lr.record(env, steps=1, **small, preset="docs", max_size=10**6).num_bytes > 0
    with lr.VideoWriter(None, 20, **small) as writer:
        writer.write(np.zeros((32, 32, 3), np.uint8))
    with lr.HeadlessMujocoRenderer(model, size, size) as renderer:
        assert (renderer.width, renderer.height) == (32, 32)
    assert lr.HeadlessPygameRenderer(size, size).as_array().shape == (32, 32, 3)


@pytest.mark.parametrize("limit", [np.int64(10**6), jnp.int32(10**6)])
def test_any_whole_number_is_a_limit(limit):
    video = lr.record(CartPole(), steps=2, width=32, height=24, preset="docs", max_size=limit)
    assert video.num_bytes < 10**6
