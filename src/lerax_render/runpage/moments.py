"""What a page has of a recording: a still, and a player to look around in."""

from collections import deque
from pathlib import Path
from typing import Any

from ..errors import RenderError
from ..export import load_replays
from ..recording import record
from ..runs import Recording, RunFolder, place_of
from ..settings import Settings, from_written
from ..video import VideoReader, WorkFolder, still_of, write_whole

STILL_WIDTH = 320
"""Pixels."""

# Where nothing is known of an episode's length: a while after its first step, which all begin with.
_SOME_FRAMES = 25


def moments_without(run: RunFolder) -> list[Recording]:
    """Return the recordings that have no still, or no player though there is a replay of them."""
    return [
        each
        for each in run.recordings()
        if each.files.keys() & {"video", "replay"}
        and not each.files.keys() >= ({"still"} | ({"player"} if "replay" in each.files else set()))
    ]


def make_moment(run: RunFolder, recording: Recording) -> None:
    """Make a recording's still, and its player where it has a replay.

    Raises:
        RenderError: As for `record`.
        OSError: The disk is full or failed.
    """
    try:
        settings = from_written(run.facts.clip)
    except (ValueError, TypeError) as error:
        raise RenderError(f"{run.path}: its clips' settings cannot be used: {error}") from error
    still = place_of(run.path, "still", recording.step)
    player = place_of(run.path, "player", recording.step)
    still.parent.mkdir(exist_ok=True)
    title = " · ".join(filter(None, (run.facts.name, recording.label)))
    if "replay" in recording.files and not player.exists():
        record(load_replays(recording.files["replay"]), player, title=title, **_look(settings))
    if still.exists():
        return
    picture = (
        _of_video(recording) if "video" in recording.files else _of_replay(recording, settings)
    )
    write_whole(still, picture)


def _look(settings: Settings) -> dict[str, Any]:
    # A page has all cameras, and begins with one.
    camera = settings.camera[0] if isinstance(settings.camera, tuple) else settings.camera
    width, height = settings.size
    return {"width": width, "height": height, "camera": camera}


def _moment(recording: Recording) -> int:
    """Return a step in which something happens: in the middle of the first episode or so."""
    length = recording.said.get("length")
    return max(int(length / 2), 0) if isinstance(length, int | float) else _SOME_FRAMES


def _of_video(recording: Recording) -> bytes:
    file = recording.files["video"]
    with VideoReader(file) as reader:
        size = STILL_WIDTH, round(reader.height * STILL_WIDTH / reader.width)
    with VideoReader(file, fit=size, max_frames=_moment(recording) + 1) as frames:
        last = deque(frames, maxlen=1)
    if not last:
        raise RenderError(f"{file} has no frames")
    return still_of(last[0])


def _of_replay(recording: Recording, settings: Settings) -> bytes:
    replays = load_replays(recording.files["replay"])
    at = min(_moment(recording), replays[0].steps - 1)
    width, height = settings.size
    look = _look(settings) | {"width": STILL_WIDTH, "height": round(height * STILL_WIDTH / width)}
    with WorkFolder() as work:
        clip = record([each[at : at + 1] for each in replays], work / "still.webp", **look)
        assert clip.path is not None
        return Path(clip.path).read_bytes()
