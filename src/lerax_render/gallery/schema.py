"""The keys of a gallery's manifest that are no settings of a clip."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

type FileName = Annotated[
    str,
    Meta(
        pattern=rf"^{NAME.pattern}\Z",
        description="up to 100 letters a-z, digits, - and _, beginning with a letter or digit",
    ),
]
type Words = Annotated[str, Meta(pattern=r"\S", description="a text that is not empty")]


@dataclass(frozen=True, kw_only=True)
class About:
    """What a page says of itself: the keys of `[gallery]`."""

    title: Words = "Gallery"
    """Title of the page."""

    description: str = ""
    """Text below the title."""


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What a page says of a clip: the keys of `[[clips]]` besides a clip's settings."""

    name: FileName | None = None
    """Name of the clip's files, without suffix (default: after the environment)."""

    caption: str = ""
    """Line of text below the clip (default: its name)."""

    tags: Sequence[Words] = ()
    """Words that the clip can be found by."""
