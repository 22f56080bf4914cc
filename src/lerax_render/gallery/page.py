"""A gallery as a web page and as Markdown: text in, text out."""

import html
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..video import ALL_FORMATS
from ..webpage import filled, joined_files, policy_hash

_COLUMNS = 3
_MARKDOWN = re.compile(r"([\\`*_{}\[\]|~!#$])")


@dataclass(frozen=True)
class Tile:
    """A clip on the page.

    Attributes:
        file: Its file, relative to the page, in a format that is a key of `ALL_FORMATS`.
        still: Its still picture, likewise.
        format: Of the clip.
        width: In pixels.
        height: In pixels.
        caption: A line of text.
        details: Another, less important one.
        tags: Words that it can be found by.
    """

    file: str
    still: str
    format: str
    width: int
    height: int
    caption: str
    details: str
    tags: tuple[str, ...]


def make_page(title: str, description: str, tiles: Sequence[Tile]) -> str:
    """Return the page: one HTML document that needs nothing but the clips beside it.

    Args:
        title: Any text; so are all texts in `tiles`. They are shown as they are, not interpreted.
        description: Likewise; may be empty.
        tiles: The clips.
    """
    style, script = (joined_files(__package__, f"page.{suffix}") for suffix in ("css", "js"))
    counts = Counter(tag for tile in tiles for tag in dict.fromkeys(tile.tags))
    chips = sorted(counts.items(), key=lambda item: item[0].casefold())
    return filled(
        joined_files(__package__, "page.html"),
        {
            "title": html.escape(title),
            "description": f'<p class="about">{html.escape(description)}</p>'
            if description
            else "",
            "chips": "".join(_chip(tag, count) for tag, count in chips),
            "tiles": "\n".join(_tile(number, tile) for number, tile in enumerate(tiles)),
            "style": style,
            "style_hash": policy_hash(style),
            "script": script,
            "script_hash": policy_hash(script),
        },
    )


def make_markdown(title: str, description: str, tiles: Sequence[Tile]) -> str:
    """Return the gallery as a Markdown table, for a README or a documentation site.

    Args:
        title: As for `make_page`.
        description: As for `make_page`.
        tiles: The clips. Formats that Markdown cannot show are stills that link to them.
    """
    rows: list[list[str]] = []
    for row in itertools.batched(tiles, _COLUMNS, strict=False):
        rows.append([_picture(tile) for tile in row])
        rows.append([_markdown(tile.caption) for tile in row])
    columns = min(_COLUMNS, max(1, len(tiles)))
    lines = [f"| {' | '.join(row + [''] * (columns - len(row)))} |" for row in rows]
    lines.insert(1, "|" + "---|" * columns)
    parts = [f"# {_markdown(title)}", _markdown(description), "\n".join(lines) if rows else ""]
    return "\n\n".join(part for part in parts if part) + "\n"


def _tile(number: int, tile: Tile) -> str:
    tags = "".join(f"<li>{html.escape(tag)}</li>" for tag in dict.fromkeys(tile.tags))
    return filled(
        _TILE,
        {
            "id": f"clip-{number}",
            "file": html.escape(tile.file),
            "still": html.escape(tile.still),
            "kind": ALL_FORMATS[tile.format].element or "file",
            # What a browser does not open is taken home.
            "download": "" if ALL_FORMATS[tile.format].element else " download",
            "width": str(tile.width),
            "height": str(tile.height),
            "caption": html.escape(tile.caption),
            "details": html.escape(tile.details),
            "tags": f'<ul class="tags" aria-label="Tags">{tags}</ul>' if tags else "",
        },
    )


_TILE = """\
    <li class="tile">
      <a class="shot" href="{{ file }}" data-kind="{{ kind }}"{{ download }}
        aria-labelledby="{{ id }}">
        <img src="{{ still }}" width="{{ width }}" height="{{ height }}" alt="" loading="lazy">
      </a>
      <div class="words">
        <h2 id="{{ id }}">{{ caption }}</h2>
        <p class="details">{{ details }}</p>
        {{ tags }}
      </div>
    </li>"""


def _chip(tag: str, count: int) -> str:
    name = html.escape(tag)
    return (
        f'<button type="button" aria-pressed="false" data-tag="{name}">'
        f"{name}<span>{count}</span></button>"
    )


def _picture(tile: Tile) -> str:
    caption = _markdown(tile.caption)
    if ALL_FORMATS[tile.format].element == "img":
        return f"![{caption}]({tile.file})"
    return f"[![{caption}]({tile.still})]({tile.file})"


def _markdown(text: str) -> str:
    """Return a text as one line of Markdown that shows it as it is."""
    return _MARKDOWN.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))
