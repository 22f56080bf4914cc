"""Settings as plain values, for files of JSON, and back."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import msgspec

from .clip import Settings
from .declarations import settings_of
from .picture import Camera


def as_written(settings: Settings) -> dict[str, Any]:
    """Return what differs from the defaults, by name; what Python alone has is left out."""
    found = {}
    for name, setting in settings_of(Settings).items():
        value = getattr(settings, name)
        if setting.is_written and value != setting.default:
            try:
                found[name] = msgspec.to_builtins(value, enc_hook=_plain)
            except (TypeError, NotImplementedError):
                continue
    return found


def from_written(written: Mapping[str, Any]) -> Settings:
    """Return settings from what `as_written` has returned; names that are no settings' are ignored.

    Raises:
        ValueError, TypeError: A value is none that its setting takes.
    """
    known = settings_of(Settings)
    given = {name: _restored(value) for name, value in written.items() if name in known}
    return Settings(**given)


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return float(value)
    raise NotImplementedError


def _restored(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() <= {f.name for f in dataclasses.fields(Camera)}:
        return Camera(**{name: _restored(part) for name, part in value.items()})
    return tuple(map(_restored, value)) if isinstance(value, list) else value
