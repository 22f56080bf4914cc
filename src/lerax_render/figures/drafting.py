"""Environment and policy, or a replay, in; a figure out."""

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from ..acting import compilation_said
from ..making import check_not_traced, given_replays, name_of, only_path
from ..naming import given_env
from ..output import Figure, figure_format
from ..scene import Scene
from ..settings import (
    MILLIMETRES_PER_INCH,
    FigureFormat,
    FigureKind,
    FigureSettings,
    LightName,
    ModalityName,
    QualityName,
    ShownName,
)
from ..video import open_destination
from .moments import asked_for, check_within, labels, number_of, span_of, spread
from .page import planned, write_legend, write_scale, write_under
from .panels import Stage
from .sheet import Sheet, check_matplotlib
from .subject import Subject, acted, acting
from .way import Way

if TYPE_CHECKING:
    from ..acting import Key

# By their names, since to import a scene is to import what it is painted with.
_STAGES = {
    "Scene2D": ("drawn", "DrawnStage"),
    "MujocoScene": ("posed", "PosedStage"),
    "PixelScene": ("painted", "PaintedStage"),
}
# Points: a way's line.
_WAY = 1.4


def figure(
    env: Any,
    policy: Any | None = None,
    path: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    kind: FigureKind = "strobe",
    at: int | Sequence[int | float] | None = None,
    times: Literal["seconds", "steps", "none"] | None = None,
    columns: int | None = None,
    follow: str | int | None = None,
    color_by: Literal["time", "return"] = "time",
    print_width: float | None = None,
    print_height: float | None = None,
    dpi: float = 300.0,
    format: FigureFormat | None = None,
    steps: int | None = None,
    key: "Key" = None,
    deterministic: bool = False,
    width: int | None = None,
    height: int | None = None,
    camera: Any | None = None,
    inset: bool = False,
    modality: Sequence[ModalityName] = ("color",),
    max_depth: float | None = None,
    quality: QualityName = "auto",
    background: str | None = None,
    light: LightName | None = None,
    show: Sequence[ShownName] = (),
    hide: Sequence[ShownName] = (),
    color: Mapping[str, str] | None = None,
    trail: Sequence[str | int] = (),
    decorate: Callable[[Any, int], None] | None = None,
    ghost: Any = (),
) -> Figure:
    """Draw a figure for print: several moments in one picture, or the way of something.

        lr.figure(env, policy, "strobe.pdf")
        lr.figure(replay, "strip.svg", kind="strip", at=[0, 10, 20])
        lr.figure(replay, "way.png", kind="trajectory", follow="torso", color_by="return")

    2D environments are vectors in a PDF or SVG, with their texts as texts; MuJoCo's pictures are
    pixels in it, with vectors over them. It is drawn by Matplotlib (`pip install
    "lerax-render[figures]"`), whose `font.family` its labels have.

    Args:
        env: As for `record`; of replays, one.
        policy: As for `record`. A replay has none: then the path comes second.
        path: A file that ends in `.png`, `.pdf` or `.svg`, or a binary buffer; `None` keeps the
            figure in memory. An existing file is replaced once the new one is whole.
        kind: `"strobe"`, several moments in one picture with the background once, earlier ones
            lighter; `"strip"`, a picture of each; or `"trajectory"`, the way of something as a line
            over a strobe.
        at: How many moments, spread evenly over the first episode; or the moments: steps (whole
            numbers) or seconds (floats). By default 6; of a trajectory the last one.
        times: What says when a moment was: `"seconds"`, `"steps"` or `"none"` (default: seconds, or
            steps where time has no unit).
        columns: Pictures in a row of a strip (default: up to 6).
        follow: Of a trajectory, the body's name or number; in 2D the number of the draw command
            whose middle is followed, or its end that gets furthest (default: what gets far).
        color_by: `"time"` or `"return"`: what the colours of a trajectory say.
        print_width: Millimetres (default: 85, a column; of a strip 170, a page), or in proportion
            to a height that is given alone.
        print_height: Millimetres, labels included (default: as the pictures' proportion has it).
        dpi: Dots an inch of what is no vector, 30 to 2400.
        format: `"png"`, `"pdf"` or `"svg"` (default: by the path's suffix, else PNG).
        steps: Number of steps of the rollout (default 256, or up to the last moment; of a replay,
            all).
        key: As for `record`.
        deterministic: As for `record`.
        width: In dots, instead of `print_width`.
        height: In dots, instead of `print_height`.
        camera: As for `record`. A strobe and a trajectory have one, which stands.
        inset: As for `record`.
        modality: As for `record`.
        max_depth: As for `record`.
        quality: As for `record`, but that `"auto"` is `"high"`.
        background: As for `record`; `"transparent"` in all formats.
        light: As for `record`.
        show: As for `record`.
        hide: As for `record`.
        color: As for `record`.
        trail: As for `record`, in a strip.
        decorate: As for `record`.
        ghost: Refused: a figure is of one replay.

    Returns:
        The figure.

    Raises:
        ValueError, TypeError: An argument is wrong; nothing was computed or written.
        UnsupportedEnvError: Nothing here can draw this environment.
        BackendUnavailableError: No GL platform works, or a package is missing.
        EncodeError: The disk refused it; no partial file is left.
    """
    settings = FigureSettings(
        kind=kind,
        at=at,
        times=times,
        columns=columns,
        follow=follow,
        color_by=color_by,
        print_width=print_width,
        print_height=print_height,
        dpi=dpi,
        format=format,
        width=width,
        height=height,
        camera=camera,
        inset=inset,
        modality=modality,
        max_depth=max_depth,
        quality=quality,
        background=background,
        light=light,
        show=show,
        hide=hide,
        color=color,
        trail=trail,
        decorate=decorate,
        ghost=ghost,
    )
    return draft(env, policy, path, settings, steps=steps, key=key, deterministic=deterministic)


def draft(
    env: Any,
    policy: Any | None,
    path: str | os.PathLike[str] | BinaryIO | None,
    settings: FigureSettings,
    *,
    steps: int | None = None,
    key: "Key" = None,
    deterministic: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Figure:
    """Draw a figure as `figure` does, with its settings in one."""
    env = given_env("figure", env)
    check_not_traced("figure", env)
    replays = given_replays(env)
    if replays is not None:
        policy, path = only_path(policy, path)
    row = figure_format(path, settings.format)
    destination = open_destination(path, row)
    check_matplotlib()
    with compilation_said(name_of(env), getattr(progress, "say", None)):
        subject = (
            acting(env, policy, settings, steps, key, deterministic, progress)
            if replays is None
            else acted(replays, settings, steps, key, deterministic)
        )
    sheet, moments = _drawn(subject, settings)
    with destination.work_folder() as work:
        file = work / row.file_name
        sheet.save(file, row.name)
        made, content = destination.deliver(file, 1)
    return Figure(
        row.name,
        path=made,
        content=content,
        width=sheet.width / settings.dpi * MILLIMETRES_PER_INCH,
        height=sheet.height / settings.dpi * MILLIMETRES_PER_INCH,
        dpi=settings.dpi,
        moments=tuple(moments),
    )


def _drawn(subject: Subject, settings: FigureSettings) -> tuple[Sheet, list[int]]:
    """Return a figure's page and the steps that it shows."""
    wanted = asked_for(settings, subject.seconds)
    check_within(wanted, subject.length)
    is_way = settings.kind == "trajectory"
    has_foot = is_way or any(labels(settings, wanted or [0], subject.seconds))
    stage = _stage_of(subject.scene, settings)
    stage.check()
    count = min(number_of(settings), subject.length)
    page = planned(settings, stage.aspect, count, has_foot=has_foot)
    replay = subject.replay(stage, page.size)
    span = span_of(replay, wanted)
    moments = stage.there(wanted or spread(span, count))
    if len(moments) < count and subject.scene.has_steps:
        page = planned(settings, stage.aspect, len(moments), has_foot=has_foot)
    said = labels(settings, moments, subject.seconds)
    sheet = Sheet(page.width, page.height, settings.dpi, is_transparent=settings.is_transparent)
    if settings.kind == "strip":
        for number, panel in enumerate(stage.each(replay, moments, page.size)):
            sheet.place(page.box(number), panel)
        if has_foot:
            write_under(sheet, page, said)
    elif settings.kind == "strobe":
        sheet.place(page.box(0), stage.strobe(replay, moments, page.size))
        if has_foot:
            write_legend(sheet, page, said)
    else:
        panel, places = stage.way(replay, moments, span, page.size)
        sheet.place(page.box(0), panel)
        way = Way.of(replay, places, settings, span)
        sheet.way(page.box(0), way.pieces, way.colours, _WAY)
        write_scale(sheet, page, way.scale, way.ends)
    return sheet, moments


def _stage_of(scene: Scene, settings: FigureSettings) -> Stage:
    name = type(scene).__name__
    if name not in _STAGES:
        raise ValueError(f"a figure shows {', '.join(_STAGES)}, got a {name}")
    module, cls = _STAGES[name]
    stage: Stage = getattr(import_module(f".{module}", __package__), cls)(scene, settings)
    return stage
