"""Hyperparameters: the plain settings of algorithms, policies and environments, by dotted name."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import equinox as eqx
import numpy as np

from ..backends import HParam

SEED = "seed"
"""The hyperparameter that says what key `learn` was given."""

MAX_LENGTH = 8
"""Longest sequence that counts as a setting; longer ones are data."""


NOISE = frozenset(
    {
        "in_features",
        "in_size",
        "out_features",
        "out_size",
        "scan",
        "stepsize_controller",
        "use_bias",
        "use_final_bias",
    }
)
"""Fields that follow from others, or that nobody compares."""


def settings(module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the settings of an Equinox module and of the modules in its fields.

    Settings are numbers, texts, and sequences and arrays of up to `MAX_LENGTH` numbers. Private
    fields, functions, larger arrays, `NOISE` and what is in lists of modules (layers) are left out.

    Args:
        module: An `equinox.Module`; its arrays may be traced.
        prefix: First part of the names.
    """
    for field in dataclasses.fields(module):
        value = getattr(module, field.name, None)
        name = f"{prefix}.{field.name}"
        if field.name.startswith("_") or field.name in NOISE:
            continue
        if isinstance(value, eqx.Module) and dataclasses.is_dataclass(value):
            yield from settings(value, name)
        elif _is_setting(value):
            yield name, value


def is_telling(value: Any) -> bool:
    """Return whether a setting's value says something: bounds that are infinite do not."""
    array = np.asarray(value)
    return not array.ndim or array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def ordered(own: Mapping[str, HParam], found: Mapping[str, HParam | None]) -> dict[str, HParam]:
    """Return all hyperparameters, the user's own first, without those that have no value."""
    return {**own, **{n: value for n, value in found.items() if n not in own and value is not None}}


def plain(value: Any) -> HParam:
    """Return a setting as a number or a text; sequences become texts such as `[0.5, 1.0]`."""
    if isinstance(value, bool | int | float | str):
        return value
    array = np.asarray(value)
    if array.dtype.kind in "biuf":
        # By way of the shortest decimal: 0.02 in single precision is 0.0199999996.
        numbers = [float(str(x)) if array.dtype.kind == "f" else x.item() for x in array.ravel()]
        return str(numbers) if array.ndim else numbers[0]
    return str(value)


def seed_of(key_data: Any) -> int | str:
    """Return the seed that a key was made of; of other keys, such as split ones, their bits."""
    words = np.asarray(key_data).ravel().tolist()
    if not any(words[:-1]):
        return int(words[-1])
    return "".join(f"{word:08x}" for word in words)


def flattened(hparams: Mapping[str, Any], prefix: str = "") -> dict[str, HParam]:
    """Return a user's hyperparameters as plain values, those of nested mappings by dotted name."""
    flat: dict[str, HParam] = {}
    for key, value in hparams.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = plain(value)
    return flat


def _is_setting(value: Any) -> bool:
    if isinstance(value, bool | int | float | str):
        return True
    if eqx.is_array_like(value):
        return np.ndim(value) <= 1 and np.size(value) <= MAX_LENGTH
    return (
        isinstance(value, Sequence)
        and 0 < len(value) <= MAX_LENGTH
        and all(isinstance(item, bool | int | float) for item in value)
    )
