"""Figures as a user has them: files that are read again."""

import inspect
import io
import re
from dataclasses import fields, replace
from typing import Any, get_args
from xml.etree import ElementTree

import mujoco
import numpy as np
import pypdfium2
import pytest
from lerax.render import Color
from PIL import Image
from pypdfium2 import raw

import lerax_render as lr
from lerax_render.figures.drawn import drawing_of, merged
from lerax_render.figures.layers import Layer, layered
from lerax_render.figures.moments import labels, spread
from lerax_render.figures.panels import Drawing, Shape, Span
from lerax_render.output import FIGURES
from lerax_render.paint2d import DrawList, Layout, Scene2D, TracingRenderer
from lerax_render.settings import FigureFormat, FigureSettings
from support.browser import chromium
from support.environments import Captioned, Counting, OwnLook, PythonIf
from support.stages import psnr

BLUE, RED = Color(0.1, 0.2, 0.8), Color(0.9, 0.1, 0.1)
WHITE = (255, 255, 255)
LAYOUT = Layout(300, 200, 20.0, (50.0, 100.0))
SMALL: dict[str, Any] = {"width": 120}


def drawn(step: int) -> DrawList:
    """A frame of all that there is to draw, of which a red disc moves and a text changes."""
    renderer = TracingRenderer(LAYOUT)
    renderer.clear()
    renderer.draw_polygon(np.array([[0.0, -4], [4, -4], [2, -1]]), BLUE)
    renderer.draw_ellipse(np.array([8.0, -2]), 3.0, 1.5, BLUE)
    renderer.draw_polyline(np.array([[-2.0, -3], [3, 3], [11, 1]]), Color(0.0, 0.0, 0.0))
    renderer.draw_line(np.array([-2.0, 4]), np.array([12.0, 4]), BLUE, 0.4)
    renderer.draw_circle(np.array([float(step), 0]), 1.0, RED)
    renderer.draw_rect(np.array([11.0, -4]), 1.5, 1.0, BLUE)
    renderer.draw_text(np.array([-2.0, 3]), f"β {step}", Color(0.0, 0.0, 0.0), 24)
    return renderer.drawlist()


@pytest.fixture(scope="module")
def replay() -> lr.Replay:
    frames = np.empty(10, object)
    frames[:] = [drawn(step) for step in range(10)]
    starts = np.arange(10) == 0
    return lr.Replay(
        Scene2D(LAYOUT),
        frames,
        seconds_per_step=0.1,
        rewards=np.linspace(0, 1, 10, dtype=np.float32),
        terminated=~starts & False,
        truncated=~starts & False,
        episode_starts=starts,
    )


SLIDER = """
<mujoco>
  <visual><headlight ambient=".5 .5 .5" diffuse=".4 .4 .4" specular="0 0 0"/></visual>
  <worldbody>
    <camera name="still" pos="0 -4 1" xyaxes="1 0 0 0 .2 1"/>
    <geom type="plane" size="5 5 .1" rgba=".8 .8 .8 1"/>
    <geom type="box" size=".1 .1 .5" pos="0 1 .5" rgba="0 .6 0 1"/>
    <body name="slider" pos="0 0 .3">
      <joint name="x" type="slide" axis="1 0 0"/>
      <camera name="rider" pos="0 -3 0" xyaxes="1 0 0 0 0 1"/>
      <geom type="sphere" size=".3" rgba="0 0 1 1"/>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.fixture(scope="module")
def slider() -> lr.Replay:
    model = mujoco.MjModel.from_xml_string(SLIDER)
    ways = np.linspace(-1.5, 1.5, 7)[:, None]
    replay: lr.Replay = lr.capture(lr.Simulation(model, qpos=ways, dt=0.1))
    return replay


def pixels(figure: lr.Figure) -> np.ndarray:
    with Image.open(io.BytesIO(figure.data)) as picture:
        return np.asarray(picture.convert("RGB"))


def pdf(figure: lr.Figure) -> pypdfium2.PdfPage:
    (page,) = pypdfium2.PdfDocument(figure.data)
    return page


def kinds(page: pypdfium2.PdfPage) -> set[int]:
    return {each.type for each in page.get_objects()}


def is_blue(picture: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(picture.astype(int), 2, 0)
    return (blue - red > 60) & (blue - green > 60)


def test_vectors_look_as_our_painter_draws_them(replay):
    figure = lr.figure(replay, kind="strip", at=[4], times="none", width=300)
    painted = list(lr.render(replay, width=300, height=200))[4]

    assert psnr(pixels(figure), painted) > 26
    assert psnr(np.full_like(painted, 255), painted) < 15


def test_what_is_drawn_later_is_in_front(replay):
    picture = pixels(lr.figure(replay, kind="strip", at=[0], times="none", width=300))
    # There a line passes behind the disc.
    assert (picture[112, 50] == (229, 25, 25)).all()


def test_a_strobe_shows_what_moves_several_times_and_earlier_ones_lighter(replay):
    picture = pixels(lr.figure(replay, at=[0, 4, 8], times="none", width=300)).astype(int)

    centres = [picture[100, round(50 + 20 * step)] for step in (0, 4, 8)]
    assert (centres[2] == (229, 25, 25)).all()
    paleness = [centre[1] for centre in centres]
    assert paleness[0] > paleness[1] + 50 > paleness[2] + 100
    # Between two of them, nothing.
    assert (picture[100, 90] == WHITE).all()


def test_what_stands_still_is_drawn_once_and_at_its_depth():
    ground = Shape("box", ((5, 9),), (10, 2), (0, 1, 0))
    hinge = Shape("oval", ((5, 5),), (1, 1), (0, 0, 0))

    def moment(x: float) -> Drawing:
        arm = Shape("line", ((5, 5), (x, 0)), (1,), (1, 0, 0))
        said = Shape("text", ((0, 0),), (3,), (0, 0, 0), f"x {x}")
        return Drawing(10, 10, (1, 1, 1), (ground, arm, hinge, said))

    shapes = merged([moment(0), moment(5), moment(10)]).shapes

    assert [shape.kind for shape in shapes] == ["box", "line", "line", "line", "oval", "text"]
    assert [shape.points[1][0] for shape in shapes[1:4]] == [0, 5, 10]
    assert shapes[1].colour == (1, 0.75, 0.75)
    assert shapes[3].colour == (1, 0, 0)
    assert shapes[-1].text == "x 10"


def test_numbers_that_are_none_and_what_has_no_extent_are_left_out():
    renderer = TracingRenderer(LAYOUT)
    renderer.clear()
    renderer.draw_circle(np.array([np.nan, 0.0]), 1.0, RED)
    renderer.draw_circle(np.zeros(2), 0.0, RED)
    renderer.draw_line(np.zeros(2), np.zeros(2), RED)
    renderer.draw_rect(np.zeros(2), 1.0, 1.0, RED)

    assert [shape.kind for shape in drawing_of(renderer.drawlist(), LAYOUT).shapes] == ["box"]


def test_a_pdf_has_its_size_vectors_and_texts(replay):
    figure = lr.figure(replay, format="pdf", kind="strip", at=[0, 4], print_width=80)
    page = pdf(figure)

    assert page.get_size()[0] == pytest.approx(80 / 25.4 * 72, abs=0.5)
    assert page.get_size()[1] == pytest.approx(figure.height / 25.4 * 72, abs=0.5)
    assert kinds(page) == {raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_TEXT}
    text = page.get_textpage().get_text_range()
    assert all(each in text for each in ("β 0", "β 4", "0.0 s", "0.4 s"))
    # Publishers refuse fonts that are not in the file.
    assert figure.data.count(b"/FontFile2") == figure.data.count(b"/FontDescriptor /") > 0
    png = pixels(lr.figure(replay, kind="strip", at=[0, 4], print_width=80))
    rendered = page.render(scale=300 / 72).to_numpy()[: png.shape[0], : png.shape[1], 2::-1]
    assert psnr(rendered, png) > 24


def test_an_svg_has_its_size_vectors_and_texts(replay):
    figure = lr.figure(replay, format="svg", at=[0, 4, 8], print_width=80)
    root = ElementTree.fromstring(figure.data)
    space = {"s": "http://www.w3.org/2000/svg"}

    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(80 / 25.4 * 72, abs=0.1)
    assert {text.text for text in root.iterfind(".//s:text", space)} == {
        *("β 8", "0.0 s", "0.4 s", "0.8 s")
    }
    fills = re.findall(r"fill: (#\w{6})", figure.data.decode())
    assert fills.count("#e51919") == 1


def test_a_browser_shows_the_svg_as_the_png(replay, tmp_path):
    given = {"at": [0, 4, 8], "times": "none", "width": 300, "dpi": 96}
    path = lr.figure(replay, tmp_path / "strobe.svg", **given).path
    png = pixels(lr.figure(replay, **given))
    with chromium(tmp_path / "profile") as browser:
        browser.set_window_size(500, 500)
        browser.get(f"file://{path}")
        with Image.open(io.BytesIO(browser.get_screenshot_as_png())) as picture:
            shown = np.asarray(picture.convert("RGB"))[: png.shape[0], : png.shape[1]]
    assert psnr(shown, png) > 24
    assert psnr(np.full_like(png, 255), png) < 15


@pytest.mark.parametrize("format", ["png", "pdf", "svg"])
def test_the_same_figure_has_the_same_bytes(replay, slider, format):
    for each in (replay, slider):
        given = {"kind": "trajectory", "format": format, "at": 2, **SMALL}
        data = lr.figure(each, **given).data
        assert data == lr.figure(each, **given).data
        assert b"Date" not in data


def test_dots_and_resolution_are_those_asked_for(replay, tmp_path):
    lr.figure(replay, tmp_path / "a.png", print_width=50.8, print_height=25.4, dpi=200)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (400, 200)
        assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    figure = lr.figure(replay, width=333, height=111)
    assert pixels(figure).shape == (111, 333, 3)
    assert figure.width == pytest.approx(333 / 300 * 25.4)
    assert lr.figure(replay, height=90, times="none").width == pytest.approx(135 / 300 * 25.4)


def test_a_strip_has_rows_and_says_when(replay):
    figure = lr.figure(replay, format="pdf", kind="strip", at=8)
    assert figure.moments == (0, 1, 3, 4, 5, 6, 8, 9)
    text = pdf(figure).get_textpage().get_text_range()
    assert [f"{step / 10:.1f} s" in text for step in figure.moments] == [True] * 8
    tall = lr.figure(replay, kind="strip", at=8, columns=2)
    assert tall.height > 3 * figure.height


def test_a_way_in_2d_is_that_of_what_gets_far(replay):
    given = {"kind": "trajectory", "format": "svg", "width": 300}
    root = ElementTree.fromstring(lr.figure(replay, **given).data)
    lines = root.find(".//*[@id='LineCollection_2']")
    assert lines is not None
    numbers = [
        [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])] for path in lines
    ]
    scale = 72 / 300
    assert numbers[0] == pytest.approx([50 * scale, 100 * scale, 70 * scale, 100 * scale], abs=0.1)
    assert numbers[-1][2] == pytest.approx(230 * scale, abs=0.1)
    colours = re.findall(r"stroke: (#\w{6})", ElementTree.tostring(lines).decode())
    assert len(set(colours)) == 9
    by_return = lr.figure(replay, color_by="return", **given).data.decode()
    assert "return 0" in by_return


def test_episodes_are_not_joined_and_the_first_is_what_is_shown():
    replay = lr.capture(Counting(4), steps=9)
    assert lr.figure(replay, **SMALL).moments == (0, 1, 2, 3, 4)
    given = {"kind": "trajectory", "format": "svg", "times": "steps", **SMALL}
    root = ElementTree.fromstring(lr.figure(replay, at=[0, 8], **given).data)
    assert len(root.find(".//*[@id='LineCollection_2']")) == 7


@pytest.mark.parametrize("env", [PythonIf(5), Captioned(5)])
def test_environments_that_cannot_be_traced_have_figures(env):
    picture = pixels(lr.figure(env, at=[0, 4], times="none", width=200))
    assert (picture != 255).any()


def test_poses_are_translucent_and_the_background_is_there_once(slider):
    given = {"width": 240, "times": "none", "quality": "standard"}
    picture = pixels(lr.figure(slider, at=[0, 3, 6], **given))
    alone = pixels(lr.figure(slider, at=[6], camera="still", **given)).astype(int)

    bluish = picture[..., 2].astype(int) - picture[..., 1] > 20
    columns = bluish.any(axis=0)
    runs = np.flatnonzero(np.diff(np.concatenate([[False], columns, [False]]).astype(int)))
    assert len(runs) == 6
    middles = [(a + b) // 2 for a, b in runs.reshape(-1, 2)]
    strengths = []
    for middle in middles:
        rows = np.flatnonzero(bluish[:, middle])
        red, _, blue = picture[int(rows.mean()), middle].astype(int)
        strengths.append(blue - red)
    assert strengths[0] < strengths[1] < strengths[2]
    green = (alone[..., 1] - alone[..., 0] > 60).sum()
    assert green > 50


def test_a_given_camera_sees_a_strobe_as_it_sees_a_clip(slider):
    given = {"width": 160, "height": 120, "camera": "still", "quality": "high"}
    figure = pixels(lr.figure(slider, at=[4], times="none", **given))
    (frame,) = lr.render(slider[4:5], **given)
    assert psnr(figure, frame) > 30


def test_a_way_ends_where_the_thing_is(slider):
    given = {"width": 240, "camera": "still", "format": "svg", "quality": "standard"}
    data = lr.figure(slider, kind="trajectory", follow="slider", **given).data
    lines = ElementTree.fromstring(data).find(".//*[@id='LineCollection_2']")
    assert lines is not None
    *_, x, y = [float(n) for n in re.findall(r"-?[\d.]+", list(lines)[-1].attrib["d"])]
    picture = pixels(lr.figure(slider, at=[6], times="none", **{**given, "format": "png"}))
    rows, columns = np.nonzero(is_blue(picture))
    dots = 300 / 72
    assert (x * dots, y * dots) == pytest.approx((columns.mean(), rows.mean()), abs=2.5)


def test_a_pdf_of_poses_has_pixels_and_vectors(slider):
    page = pdf(lr.figure(slider, kind="trajectory", format="pdf", width=300))
    assert kinds(page) >= {raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_TEXT}
    assert "0.6 s" in page.get_textpage().get_text_range()


def test_a_function_of_the_users_is_told_the_step(slider):
    seen = []
    given = {"decorate": lambda scene, step: seen.append(step), "at": [1, 4], **SMALL}
    lr.figure(slider, **given)
    assert seen == [1, 4]
    seen.clear()
    lr.figure(slider, kind="strip", **given)
    assert seen == [1, 4]
    seen.clear()
    lr.figure(slider, kind="strip", trail="slider", **given)
    assert seen == list(range(7))


def test_the_nearest_is_in_front_and_one_shadow_is_no_darker_than_itself():
    background = np.full((1, 3, 3), 200, np.uint8)

    def layer(grey: int, depth: float, weight: float) -> Layer:
        frame = np.array([[[grey] * 3, [100] * 3, [200] * 3]], np.uint8)
        thing = np.array([[True, False, False]])
        return Layer(frame, np.full((1, 3), depth, np.float32), thing, weight)

    (row,) = layered(background, [layer(0, 1.0, 1.0), layer(80, 2.0, 0.5)])
    assert row[:, 0].tolist() == [0, 100, 200]
    (row,) = layered(background, [layer(0, 1.0, 0.5), layer(0, 1.0, 0.5)])
    assert row[:, 0].tolist() == [50, 150, 200]
    (row,) = layered(background, [layer(0, 2.0, 1.0), layer(80, 1.0, 0.5)])
    assert row[0, 0] == 40


def test_moments_that_are_no_numbers_are_left_out_and_said(slider):
    qpos = slider.captured.qpos.copy()
    qpos[4:] = np.nan
    diverged = replace(slider, captured=slider.captured._replace(qpos=qpos))
    given = {"width": 120, "times": "none", "quality": "standard"}
    with pytest.warns(lr.RenderWarning, match="step 6 is not shown"):
        picture = pixels(lr.figure(diverged, at=[3, 6], **given))
    assert (picture != picture[0, 0]).any()
    with pytest.warns(lr.RenderWarning):
        way = lr.figure(diverged, kind="trajectory", format="svg", **given).data
    assert len(ElementTree.fromstring(way).find(".//*[@id='LineCollection_2']")) == 3


def test_transparent_figures_show_the_same_on_white(replay, slider):
    for each, own in ((replay, {"width": 300}), (slider, {"width": 240, "quality": "standard"})):
        for kind in ("strobe", "strip"):
            given = {**own, "times": "none", "at": [0, 4], "kind": kind}
            data = lr.figure(each, background="transparent", **given).data
            with Image.open(io.BytesIO(data)) as picture:
                layer = np.asarray(picture.convert("RGBA")).astype(float)
            alpha = layer[..., 3:] / 255
            assert alpha.min() == 0
            assert alpha.max() == 1
            on_white = layer[..., :3] * alpha + 255 * (1 - alpha)
            usual = {} if each is replay else {"background": "white", "light": "as-is"}
            assert psnr(on_white, pixels(lr.figure(each, **usual, **given))) > 30


def test_what_paints_itself_is_a_strip():
    figure = lr.figure(OwnLook(3), kind="strip", steps=8, at=4, width=200)
    assert figure.moments == (0, 1, 2, 3)
    assert (pixels(figure) != 255).any()
    assert lr.figure(OwnLook(3), kind="strip", at=[0, 5], **SMALL).moments == (0, 5)
    with pytest.raises(ValueError, match="take kind='strip'"):
        lr.figure(OwnLook(3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"at": [0, 10]}, "at has step 10, and there are steps 0 to 9"),
        ({"at": [0, 2.0]}, "at has step 20, and there are steps 0 to 9"),
        ({"at": [-1, 3]}, "at must be"),
        ({"at": 0}, "at must be"),
        ({"at": []}, "at must be"),
        ({"kind": "movie"}, "kind must be one of strobe, strip, trajectory"),
        ({"columns": 3}, "columns=3 is about a strip"),
        ({"follow": 3}, "follow=3 is about a trajectory"),
        ({"color_by": "return"}, "color_by='return' is about a trajectory"),
        ({"kind": "trajectory", "follow": 9}, "follow must be 0 to 6 here, got 9"),
        ({"kind": "trajectory", "follow": "torso"}, "a 2D environment has no bodies"),
        ({"camera": 1}, "a 2D environment has no camera"),
        ({"width": 100, "print_width": 30}, "give either these or print_width"),
        ({"print_width": 200, "dpi": 2400}, "more than 16384 dots"),
        ({"kind": "strip", "at": 10, "columns": 10, "width": 100}, "no room for 10 pictures"),
        ({"format": "gif"}, "format must be one of png, pdf, svg"),
        ({"key": 1}, "acted out already"),
        ({"ghost": "other.replay"}, "leave ghost out"),
    ],
)
def test_what_does_not_fit_is_said(replay, given, message):
    with pytest.raises(ValueError, match=message):
        lr.figure(replay, **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"camera": ["still", "rider"]}, "one camera, in color"),
        ({"modality": "depth"}, "one camera, in color"),
        ({"camera": lr.Camera(track="slider")}, "the camera stands, got track='slider'"),
        ({"camera": "rider"}, "camera 'rider' moves"),
        ({"camera": "nobody"}, "no camera 'nobody'"),
        ({"trail": "slider"}, "without trails"),
        ({"kind": "trajectory", "follow": "nobody"}, "no body 'nobody'"),
        ({"kind": "trajectory", "color_by": "return"}, "nothing of rewards"),
        ({"quality": "cinematic"}, "cinematic"),
    ],
)
def test_what_does_not_fit_a_model_is_said(slider, given, message):
    if "color_by" in given:
        slider = lr.Replay(slider.scene, slider.captured)
    with pytest.raises(ValueError, match=message):
        lr.figure(slider, **given, **SMALL)


def test_places_that_cannot_be_written_are_told_first(replay, tmp_path):
    with pytest.raises(ValueError, match=r"ends in .png, .pdf or .svg"):
        lr.figure(replay, tmp_path / "a.gif")
    with pytest.raises(ValueError, match=r"ends in .pdf, but format is 'svg'"):
        lr.figure(replay, tmp_path / "a.pdf", format="svg")
    with pytest.raises(ValueError, match="does not exist"):
        lr.figure(replay, tmp_path / "nowhere" / "a.pdf")
    with pytest.raises(ValueError, match="one replay, got 2"):
        lr.figure([replay, replay])


def test_a_figure_is_saved_and_shown(replay, tmp_path):
    buffer = io.BytesIO()
    figure = lr.figure(replay, buffer, format="svg", **SMALL)
    assert buffer.getvalue() == figure.data
    assert figure.save(tmp_path / "b.svg").read_bytes() == figure.data
    with pytest.raises(ValueError, match=r"ends in .png, .pdf or .svg"):
        figure.save(tmp_path / "b.mp4")
    assert figure._repr_html_().startswith('<img src="data:image/svg+xml;base64,')


def test_times_have_no_more_decimals_than_they_need():
    settings = FigureSettings()
    assert labels(settings, [0, 10, 20], 0.1) == ["0 s", "1 s", "2 s"]
    assert labels(settings, [0, 7, 15], 0.02) == ["0.00 s", "0.14 s", "0.30 s"]
    assert labels(settings, [0, 3], None) == ["step 0", "step 3"]
    assert labels(FigureSettings(times="none"), [0, 3], 0.1) == ["", ""]
    with pytest.raises(ValueError, match="take times='steps'"):
        labels(FigureSettings(times="seconds"), [0], None)
    assert spread(Span(0, 5), 3) == [0, 2, 4]
    assert spread(Span(0, 5), 1) == [4]


def test_figure_has_a_keyword_for_each_setting():
    assert get_args(FigureFormat.__value__) == tuple(FIGURES)
    parameters = inspect.signature(lr.figure).parameters.values()
    keywords = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
    own = {"steps", "key", "deterministic"}
    assert keywords - own == {field.name for field in fields(FigureSettings)}
