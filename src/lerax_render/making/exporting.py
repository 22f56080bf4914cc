"""Formats that are no videos: what happened is captured whole, and then becomes one file."""

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..compose import Timed
from ..errors import BackendUnavailableError, warn
from ..output import Export, Output
from ..painter import Painter
from ..replay import Replay
from ..scene import Scene
from ..settings import ALL_CAMERAS, TRANSPARENT, Picture, Settings, settings_of
from ..video import Destination, Video, make_still, numbered, small_png_of, still_of
from .filming import open_painters, seen_alike

# Those of the rollout, and the one that says what is made.
_OF_ANY_FORMAT = (
    *("steps", "episodes", "pick", "of", "max_steps"),
    *("start", "stop", "deterministic", "grid", "format"),
)
# Pixels. A still that makes a page no larger, and is seen until the script draws.
_STILL_WIDTH = 240


@dataclass(frozen=True)
class Shown:
    """What becomes one file.

    Attributes:
        replays: Side by side.
        picture: What a picture of one of them looks like.
        labels: A text for each of them, or none at all.
        title: Of the whole; `None` where nobody gave one.
        captions: Of the whole.
        videos: Of those that are pixels only, a frame for each step; or none at all.
        painters: One for each of them; none at all where nothing here can paint.
    """

    replays: Sequence[Replay]
    picture: Picture
    labels: Sequence[str] = ()
    title: str | None = None
    captions: Sequence[Timed] = ()
    videos: Sequence[Video] = ()
    painters: Sequence[Painter] = ()

    @functools.cached_property
    def views(self) -> list[Any]:
        """From where each is seen, as `Scene.aimed` has it; `None` where that is given."""
        return seen_alike(self.replays, self.picture)

    def still(self, lane: int) -> bytes | None:
        """The first picture of one of them as a WebP; `None` where nothing here can paint it."""
        if self.videos:
            return make_still(self.videos[lane])
        first = self._first(lane)
        return None if first is None else still_of(first)

    def small_still(self, lane: int) -> bytes | None:
        """The same, small and made at once: as a PNG, unless it is of a video."""
        first = None if self.videos else self._first(lane)
        return self.still(lane) if first is None else small_png_of(first, _STILL_WIDTH)

    def _first(self, lane: int) -> np.ndarray | None:
        if not self.painters:
            return None
        painter, view = self.painters[lane], self.views[lane]
        if view is not None:
            painter.aim(view)
        return next(iter(painter.paint(self.replays[lane][:1].captured)))


def idle_in(row: Export, settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the name of a setting that a format has no use for, and a sentence of it."""
    for name, setting in settings_of(Settings).items():
        idle = name not in (*_OF_ANY_FORMAT, *row.settings)
        # A manifest has `None` where it says `false`.
        if idle and settings.get(name) not in (None, setting.default):
            said = (
                f"{name} would make no difference in {row.noun} (*{row.suffix}): leave {name} out"
            )
            return name, said
    if row.name == "png16" and _listed(settings.get("modality")) not in (
        ["depth"],
        ["segmentation"],
    ):
        return "modality", (
            f"{row.noun} has one modality, depth or segmentation: name one, or take npz for several"
        )
    if settings.get("background") == TRANSPARENT:
        return "background", (
            f"{row.noun} (*{row.suffix}) has no transparent background: leave background out, or "
            "take WebM, WebP, APNG or PNG"
        )
    camera = settings.get("camera")
    cameras = _listed(camera)
    # The model is not known yet; one whose camera is called so takes its number.
    if len(cameras) > 1 or ALL_CAMERAS in cameras:
        has_all = "modality" not in row.settings
        return "camera", (
            f"{row.noun} (*{row.suffix}) "
            + ("begins with one camera and has all of the model's to choose from" * has_all)
            + ("is seen from one camera" * (not has_all))
            + f", got {'all' if ALL_CAMERAS in cameras else len(cameras)}: "
            "name one, or leave camera out"
        )
    return None


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def painters_for_stills(
    stack: contextlib.ExitStack, scenes: Sequence[Scene], picture: Picture
) -> list[Painter]:
    """Open what paints a still of each scene; nothing, with a warning, where nothing here can.

    Raises:
        ValueError, TypeError: The picture does not fit a scene.
    """
    try:
        return open_painters(stack, scenes, picture)
    except BackendUnavailableError as error:
        warn(f"there is no still picture: {error}")
        return []


def check_settings(row: Export, settings: Settings, count: int) -> None:
    """Raise `ValueError` where a setting makes no difference in a format, or no sense.

    Args:
        row: The format.
        settings: All that were given.
        count: Of replays, each of which has a label where there are labels.
    """
    if idle := idle_in(row, vars(settings)):
        raise ValueError(idle[1])
    if settings.labels and len(settings.labels) != count:
        raise ValueError(
            f"labels must be one for each of {count} replays, got {len(settings.labels)}"
        )


def check_scenes(row: Export, scenes: Sequence[Scene]) -> None:
    """Raise unless replays of these scenes go into one file of a format.

    Raises:
        ValueError: They do not go into one.
        UnsupportedEnvError: The format cannot hold this kind of scene.
    """
    _MAKERS[row.name].check(scenes)


def export(row: Export, shown: Shown, destination: Destination, *, still: bool = False) -> Output:
    """Write replays in a format that is no video.

    Args:
        row: The format.
        shown: What is in it.
        destination: Where it goes.
        still: Whether `Output.still` is wanted.

    Raises:
        EncodeError: The disk refused it; no partial file is left.
    """
    with destination.work_folder() as work:
        file = work / row.file_name
        _MAKERS[row.name].make(file, shown)
        count = len(shown.replays[0]) if row.is_sequence else 1
        path, content = destination.deliver(file, count)
    steps, seconds = max(map(len, shown.replays)), shown.replays[0].seconds_per_step
    return Output(
        row.name,
        path=path,
        content=content,
        steps=steps,
        seconds=None if seconds is None else steps * seconds,
        still=shown.still(0) if still else None,
        sequence=tuple(numbered(path, number) for number in range(count))
        if row.is_sequence and path is not None
        else (),
    )


def _make_page(file: Path, shown: Shown) -> None:
    page = import_module("..player", __package__).make_page(
        shown.replays,
        shown.picture,
        views=shown.views,
        stills=[shown.small_still(lane) for lane in range(len(shown.replays))],
        videos=shown.videos,
        labels=shown.labels,
        title=shown.title,
        captions=shown.captions,
    )
    file.write_text(page, "utf-8")


def _make_glb(file: Path, shown: Shown) -> None:
    from ..export.gltf import make_glb

    file.write_bytes(make_glb(shown.replays[0], shown.picture, shown.views[0]))


def _check_gltf_scene(scenes: Sequence[Scene]) -> None:
    from ..export.gltf import check_scenes

    check_scenes(scenes)


def _make_npz(file: Path, shown: Shown) -> None:
    from .measuring import make_npz

    make_npz(file, shown.replays[0], shown.picture)


def _make_png16(file: Path, shown: Shown) -> None:
    from .measuring import make_png16

    make_png16(file, shown.replays[0], shown.picture)


def _check_single(scenes: Sequence[Scene]) -> None:
    if len(scenes) > 1:
        raise ValueError(f"arrays are of one rollout, got {len(scenes)}: write one file for each")


def _make_replay(file: Path, shown: Shown) -> None:
    from ..export import write_replays

    write_replays(file, shown.replays)


def _check_one_scene(scenes: Sequence[Scene]) -> None:
    from ..export import check_scenes

    check_scenes(scenes)


def _nothing(scenes: Sequence[Scene]) -> None:
    pass


@dataclass(frozen=True)
class _Maker:
    """How the files of a format are made.

    Attributes:
        make: Writes a new file.
        check: Raises where scenes do not go into one such file.
    """

    make: Callable[[Path, Shown], None]
    check: Callable[[Sequence[Scene]], None] = _nothing


_MAKERS: dict[str, _Maker] = {
    "html": _Maker(_make_page),
    "glb": _Maker(_make_glb, _check_gltf_scene),
    "replay": _Maker(_make_replay, _check_one_scene),
    "npz": _Maker(_make_npz, _check_single),
    "png16": _Maker(_make_png16, _check_single),
}
