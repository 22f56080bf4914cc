"""Replays as one HTML document: what is packed, and the script that draws it."""

import base64
import html
import json
import zlib
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..replay import Replay
from ..settings import Picture
from ..webpage import filled, joined_files, policy_hash
from .blob import Blob

if TYPE_CHECKING:
    from ..video import Video

VERSION = 1


class _Kind(NamedTuple):
    """How replays of a kind of scene get into the page.

    Attributes:
        packer: The module that packs them. `pack_scene(blob, scene, picture)` and `pack_lane(blob,
            scene, packed_scene, captured, picture, view)` return what JSON holds of them, and
            `identity(scene)` is the same for scenes of which one is enough.
        scripts: Those that draw them; a page has those of its own kinds only.
    """

    packer: str
    scripts: tuple[str, ...]


# By their names, since to import a scene is to import what it is painted with.
_KINDS = {
    "Scene2D": _Kind("pack_2d", ("commands.js", "letters.js", "drawn.js")),
    "MujocoScene": _Kind(
        "pack_mujoco",
        (
            *("vectors.js", "gl.js", "shaders.js", "solids.js", "surfaces.js", "places.js"),
            *("view.js", "turning.js", "items.js", "paint.js", "mujoco_stage.js"),
        ),
    ),
    "PixelScene": _Kind("pack_video", ("video.js",)),
}
_FIRST = ("blob.js", "clock.js")
_LAST = ("stages.js", "timeline.js", "address.js", "controls.js", "remote.js", "start.js")


def make_page(
    replays: Sequence[Replay],
    picture: Picture,
    *,
    views: Sequence[Any] | None = None,
    stills: Sequence[bytes | None] = (),
    videos: Sequence["Video | None"] = (),
    labels: Sequence[str] = (),
    title: str | None = None,
    captions: Sequence[tuple[str, int, int | None]] = (),
) -> str:
    """Return a page to look around in replays, which needs no network and nothing but a browser.

    Args:
        replays: What it shows; several stand side by side, and are played together.
        picture: Size, camera and background of the pictures at first.
        views: What `Scene.aimed` gave for each of them; `None` where a scene does not look ahead.
        stills: A picture of each of them, PNG or WebP, which is shown until its script draws, and
            where no script can; an empty sequence or `None` for none.
        videos: An MP4 with a frame for each step, of each of them where they are pixels only.
        labels: A text for each of them, shown as it is; may be empty.
        title: Of the page, likewise; by default environment and policy.
        captions: Texts, each with the first step of the first replay at which it is shown, and the
            one before which it ends, `None` for none.

    Returns:
        An HTML document.

    Raises:
        ValueError: The numbers of replays, views, stills, videos and labels differ; there is no
            replay, or one of another kind; or one of pixels has no video.
    """
    if not replays:
        raise ValueError("a page needs one replay at least, got none")
    count = len(replays)
    given = {"views": views, "stills": stills, "videos": videos, "labels": labels}
    for name, each in given.items():
        if each and len(each) != count:
            raise ValueError(f"{name} must be one for each of {count} replays, got {len(each)}")
    labels = labels or [""] * count
    title = _title(replays) if title is None else title
    kinds = [_kind_of(replay) for replay in replays]
    none = [None] * count
    given_views = zip(views or none, videos or none, strict=True)
    seen = [view if video is None else video for view, video in given_views]
    data = _packed(replays, kinds, picture, seen, labels, title, captions)
    scripts = dict.fromkeys(name for kind in kinds for name in kind.scripts)
    style = joined_files(__package__, "page.css")
    script = f"(() => {{\n{joined_files(__package__, *_FIRST, *scripts, *_LAST)}}})();"
    return filled(
        joined_files(__package__, "page.html"),
        {
            "title": html.escape(title),
            "stills": "\n".join(
                map(_tile, stills or [None] * count, labels, [picture.size] * count)
            ),
            "data": data,
            "style": style,
            "style_hash": policy_hash(style),
            "script": script,
            "script_hash": policy_hash(script),
        },
    )


def _kind_of(replay: Replay) -> _Kind:
    name = type(replay.scene).__name__
    if name not in _KINDS:
        raise ValueError(f"a page shows {', '.join(_KINDS)}, got a replay of a {name}")
    return _KINDS[name]


def _packed(
    replays: Sequence[Replay],
    kinds: Sequence[_Kind],
    picture: Picture,
    seen: Sequence[Any],
    labels: Sequence[str],
    title: str,
    captions: Sequence[tuple[str, int, int | None]],
) -> str:
    """Return all that the script needs, as text."""
    blob = Blob()
    scenes: list[dict[str, Any]] = []
    places: dict[Any, int] = {}
    lanes = []
    for replay, kind, view, label in zip(replays, kinds, seen, labels, strict=True):
        packer = import_module(f".{kind.packer}", __package__)
        scene = replay.scene
        # Where there is one scene only, it need not be compared with others.
        known = id(scene) if len({id(r.scene) for r in replays}) == 1 else packer.identity(scene)
        place = places.setdefault(known, len(scenes))
        if place == len(scenes):
            scenes.append(packer.pack_scene(blob, scene, picture))
        lanes.append(
            {
                "scene": place,
                "label": label,
                "steps": replay.steps,
                "secondsPerStep": replay.seconds_per_step,
                **_pack_episodes(blob, replay),
                **packer.pack_lane(blob, scene, scenes[place], replay.captured, picture, view),
            }
        )
    described = {
        "version": VERSION,
        "title": title,
        "captions": captions,
        "picture": {"width": picture.size[0], "height": picture.size[1]},
        "scenes": scenes,
        "lanes": lanes,
    }
    text = json.dumps(described, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    packed = zlib.compress(len(text).to_bytes(8, "little") + text + blob.bytes())
    return base64.b64encode(packed).decode()


def _pack_episodes(blob: Blob, replay: Replay) -> dict[str, Any]:
    """Return rewards and episodes, `None` where the replay knows nothing of them."""
    flags = (replay.terminated, replay.truncated, replay.episode_starts)
    terminated, truncated, starts = (
        None if flag is None else np.flatnonzero(flag).tolist() for flag in flags
    )
    rewards = replay.rewards
    return {
        "rewards": None if rewards is None else blob.add(rewards.astype("<f4"), over_time=True),
        "terminated": terminated,
        "truncated": truncated,
        "episodeStarts": starts,
    }


def _tile(still: bytes | None, label: str, size: tuple[int, int]) -> str:
    picture = ""
    if still is not None:
        kind = "png" if still.startswith(b"\x89PNG") else "webp"
        address = f"data:image/{kind};base64,{base64.b64encode(still).decode()}"
        picture = (
            f'<img src="{address}" width="{size[0]}" height="{size[1]}" '
            f'alt="{html.escape(label or "The first step")}">'
        )
    caption = f"<figcaption>{html.escape(label)}</figcaption>" if label else ""
    return f'<figure class="tile"><div class="screen">{picture}</div>{caption}</figure>'


def _title(replays: Sequence[Replay]) -> str:
    named = [
        " · ".join(filter(None, (replay.origin.env, replay.origin.policy))) for replay in replays
    ]
    return ", ".join(dict.fromkeys(filter(None, named))) or "Replay"
