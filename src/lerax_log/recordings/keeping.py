"""What is kept of recordings in a run's folder, and what has to go when that is too much."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lerax_render.errors import UnsupportedEnvError, warn
from lerax_render.export import keep_replays, load_replays
from lerax_render.replay import Replay
from lerax_render.runs import RunFolder, place_of
from lerax_render.video import WorkFolder

from .spread import most_crowded


class Keeper:
    """Keeps recordings in a run's folder.

    Args:
        folder: The run's.
        policies: Whether policies are kept.
        most_bytes: Of all that is kept of recordings; more than that, and what is there of one
            moment goes, so that the others stay spread over the training.
    """

    def __init__(self, folder: Path, policies: bool, most_bytes: float) -> None:
        self._folder = folder
        self._policies = policies
        self._most_bytes = most_bytes
        self._warned = False

    def clip_path(self, step: int) -> Path:
        """Return where the clip of a step goes."""
        return place_of(self._folder, "video", step)

    def keep(self, step: int, replays: Sequence[Replay] | None, policy: Any) -> dict[str, Any]:
        """Write what is to be kept of a moment before it is painted, as far as that is possible.

        Returns:
            The names of `replay` and `policy` in the folder, `None` for what is not there.
        """
        kept: dict[str, Any] = {"replay": None, "policy": None}
        try:
            if replays is not None:
                kept["replay"] = self._name(self._keep_replays(step, replays))
            if self._policies:
                kept["policy"] = self._name(self._keep_policy(step, policy))
        except UnsupportedEnvError:
            # A scene of the user's own, which goes into no file.
            pass
        except Exception as error:
            if not self._warned:
                self._warned = True
                warn(
                    f"{self._folder}: nothing could be kept of step {step} but its clip: "
                    f"{type(error).__name__}: {error}. The training goes on"
                )
        self.make_room()
        return kept

    def has(self, step: int) -> bool:
        """Whether the replay of a step is there."""
        return place_of(self._folder, "replay", step).exists()

    def is_unpainted(self, step: int) -> bool:
        """Whether there is a replay of a step, and no clip."""
        return self.has(step) and not self.clip_path(step).exists()

    def load(self, step: int) -> list[Replay] | None:
        """Return the replays of a step; `None` where they had to go."""
        return load_replays(place_of(self._folder, "replay", step)) if self.has(step) else None

    def make_room(self) -> None:
        """Remove what is there of some moments, if it is too much."""
        files = RunFolder(self._folder).files()
        sizes = {step: sum(map(_size, each.values())) for step, each in files.items()}
        while len(files) > 2 and sum(sizes.values()) > self._most_bytes:
            steps = list(files)
            step = steps[most_crowded(steps)]
            for file in files.pop(step).values():
                with contextlib.suppress(OSError):
                    file.unlink()
            del sizes[step]

    def _keep_replays(self, step: int, replays: Sequence[Replay]) -> Path:
        file = place_of(self._folder, "replay", step)
        file.parent.mkdir(exist_ok=True)
        keep_replays(file, replays)
        return file

    def _keep_policy(self, step: int, policy: Any) -> Path:
        file = place_of(self._folder, "policy", step)
        file.parent.mkdir(exist_ok=True)
        with WorkFolder(file.parent) as folder:
            policy.serialize(folder / file.name)
            (folder / file.name).replace(file)
        return file

    def _name(self, file: Path) -> str:
        return str(file.relative_to(self._folder))


def _size(file: Path) -> int:
    with contextlib.suppress(OSError):
        return file.stat().st_size
    return 0
