"""What of a gallery is in its folder, and since which settings."""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..batch import Clip, Outcome
from ..video import ALL_FORMATS, Video, write_whole
from .schema import NAME

FILE = ".gallery.json"

_log = logging.getLogger("lerax_render.gallery.ledger")

_UNUSABLE = (
    *(ValueError, TypeError, KeyError, AttributeError, OSError),
    *(RecursionError, msgspec.MsgspecError),
)
"""What is raised when a file that is read is not a record."""


@dataclass(frozen=True)
class Made:
    """What is known of a clip that was made.

    Attributes:
        fingerprint: Of what it was made from.
        file: Its file's name.
        still: Its still picture's name.
        format: A key of `ALL_FORMATS`.
        width: In pixels.
        height: In pixels.
        seconds: That it plays for.
        num_bytes: Of the file.
    """

    fingerprint: str
    file: str
    still: str
    format: str
    width: int
    height: int
    seconds: float
    num_bytes: int

    def is_whole(self, folder: Path) -> bool:
        """Whether its files are in the folder, the clip with as many bytes as it was made with."""
        try:
            size = (folder / self.file).stat().st_size
        except OSError:
            return False
        return size == self.num_bytes and (folder / self.still).is_file()


class Record:
    """What of a gallery is in its folder, kept in a file beside it.

    Args:
        folder: The gallery's.
        manifest: The file whose clips these are to be.

    Attributes:
        made_from: The manifest of the clips that are here, seen from the folder, or `None`.
    """

    def __init__(self, folder: Path, manifest: Path) -> None:
        self._folder = folder
        self._manifest = os.path.relpath(manifest, folder)
        self._made: dict[str, Made] = {}
        self.made_from: str | None = None
        # Whose the files here are: nobody knows where the record was lost.
        self._is_new = self._is_lost = False
        try:
            known = json.loads((folder / FILE).read_text("utf-8"))
            self._made = {name: _read(name, fields) for name, fields in known["clips"].items()}
            self.made_from = str(known["manifest"])
        except FileNotFoundError:
            self._is_new = True
        except _UNUSABLE as error:
            self._is_lost = True
            _log.warning("%s cannot be used (%r): all clips are made again", folder / FILE, error)

    def loses(self, fingerprints: Mapping[str, str]) -> list[str]:
        """Return which clips of another manifest would be gone with these ones here.

        Args:
            fingerprints: Of what the clips that are to be here are made from, by their names.
        """
        if self.made_from == self._manifest:
            return []
        made = self._made.items()
        return sorted(name for name, clip in made if fingerprints.get(name) != clip.fingerprint)

    def has(self, name: str, fingerprint: str) -> bool:
        """Whether a clip is here whole, and was made from this."""
        made = self.get(name)
        return made is not None and made.fingerprint == fingerprint

    def get(self, name: str) -> Made | None:
        """Return what is known of a clip, if it is here whole."""
        made = self._made.get(name)
        return made if made is not None and made.is_whole(self._folder) else None

    def foreign(self, media: Iterable[str], pages: Iterable[str]) -> list[str]:
        """Return which files are here though no gallery has made them.

        Args:
            media: Names of clips and stills.
            pages: Names of what each gallery has.
        """
        if self._is_lost:
            return []
        own = {file for made in self._made.values() for file in (made.file, made.still)}
        asked = {*media} - own | ({*pages} if self._is_new else set())
        paths = (self._folder / name for name in sorted(asked))
        # What a symbolic link leads to is safe: the link is replaced.
        return [path.name for path in paths if path.is_file() and not path.is_symlink()]

    def take(
        self, name: str, fingerprint: str, clip: Clip, outcome: Outcome, work: Path
    ) -> Outcome:
        """Bring a clip that is ready, and its still, to their places.

        Args:
            name: Of the clip.
            fingerprint: Of what it was made from.
            clip: What was asked for.
            outcome: With the clip, in `work` or in memory, and the still.
            work: A folder beside the files' places.

        Returns:
            What became of the clip; that does not work where something is in the way.
        """
        video = outcome.video
        assert video is not None
        if outcome.still is None:
            return Outcome(error="it has no still picture", seconds=outcome.seconds)
        width, height, seconds = *clip.size, video.seconds or 0.0
        if isinstance(video, Video):
            width, height, seconds = video.width, video.height, video.num_frames / video.fps
        file, still = names(name, video.format)
        made = Made(
            fingerprint,
            file,
            still,
            video.format,
            width,
            height,
            seconds,
            outcome.num_bytes,
        )
        try:
            (work / still).write_bytes(outcome.still)
            if video.content is not None:
                (work / file).write_bytes(video.content)
            # A symbolic link of that name is replaced, not followed.
            os.replace(work / still, self._folder / still)
            os.replace(work / file, self._folder / file)
        except OSError as error:
            return Outcome(error=str(error), seconds=outcome.seconds)
        before = self._made.get(name)
        self._made[name] = made
        self._save()
        if before is not None and before.file != made.file:
            (self._folder / before.file).unlink(missing_ok=True)
        return outcome

    def clean(self, names: set[str]) -> list[str]:
        """Remove the files of all clips but these, and return their names."""
        gone = [name for name in self._made if name not in names]
        removed = []
        for name in gone:
            made = self._made.pop(name)
            for file in (made.file, made.still):
                (self._folder / file).unlink(missing_ok=True)
            removed.append(made.file)
        if gone:
            self._save()
        return removed

    def _save(self) -> None:
        clips = {name: asdict(made) for name, made in sorted(self._made.items())}
        content = {"manifest": self._manifest, "clips": clips}
        write_whole(self._folder / FILE, json.dumps(content, indent=1) + "\n")


def names(name: str, format: str) -> tuple[str, str]:
    """Return the names of a clip's file and of its still picture."""
    return f"{name}{ALL_FORMATS[format].suffix}", f"{name}.still.webp"


def _read(name: str, fields: Mapping[str, Any]) -> Made:
    made = msgspec.convert(fields, Made)
    # Others write to this folder, too, and what the record names may be removed one day.
    if not NAME.fullmatch(name) or (made.file, made.still) != names(name, made.format):
        raise ValueError(f"{name!r} has the files {made.file!r} and {made.still!r}")
    return made
