"""Pages of HTML from templates: text in, text out."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

_POLICY_WITHIN = 2000
_FIELD = re.compile(r"\{\{ (\w+) \}\}")


@cache
def joined_files(package: str, *names: str) -> str:
    """Return files of a package as one text, each of them after the same one of all pages.

    Args:
        package: A package's name; `base.css` and `base.js` here come before its style and script.
        names: Names of its files.
    """
    suffix = names[0].rpartition(".")[2]
    base = files(__package__) / f"base.{suffix}"
    own = [files(package) / name for name in names]
    found = [base, *own] if base.is_file() else own
    return "\n".join(file.read_text("utf-8") for file in found)


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a template with a value, which is HTML, in the place of each `{{ name }}`."""
    # In one pass: what is filled in is not looked at again, whatever a caption has in it.
    return _FIELD.sub(lambda field: values[field[1]], template)


def policy_hash(text: str) -> str:
    """What a Content-Security-Policy calls an inline style or script by, so that no other runs."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def policy_hashes(pages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the hashes of styles and of scripts that pages of ours allow, each once."""
    found = []
    for directive in ("style-src", "script-src"):
        allowed = re.compile(rf"{directive} '(sha256-[\w+/=]+)'")
        matches = (allowed.search(page, 0, _POLICY_WITHIN) for page in pages)
        found.append(list(dict.fromkeys(match[1] for match in matches if match)))
    styles, scripts = found
    return styles, scripts
