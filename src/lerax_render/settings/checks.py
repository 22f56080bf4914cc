"""Checks of arguments and settings that several rooms share, made before any work is done."""

import difflib
import inspect
import math
import operator
import os
import typing
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from .declarations import Kind, kind_of, settings_of

LARGEST_SEED = 2**32 - 1
_LONGEST = 200


def check_fields(settings: Any) -> None:
    """Check the fields of a frozen dataclass, and bring them into their form. For `__post_init__`.

    NumPy's numbers become Python's, lists tuples, and a table of settings the object made of them.

    Raises:
        TypeError, ValueError: As `checked`, for the first field that does not fit.
    """
    for name, setting in settings_of(settings.__class__).items():
        value = checked(name, setting.kind, getattr(settings, name))
        object.__setattr__(settings, name, value)


def checked(name: str, kind: Any, value: Any, *, written: bool = False) -> Any:
    """Return a value in the form that its type gives it.

    Args:
        name: The setting's name, for the error.
        kind: The type, or the `Kind`.
        value: What was given.
        written: Whether a manifest gave it: texts are parsed, and `False` stands for the `None`
            that TOML lacks.

    Raises:
        TypeError: The value is of another type. The message says the name, what is accepted, and
            what was given.
        ValueError: It is of the right type and not accepted. Likewise.
    """
    kind = kind if isinstance(kind, Kind) else kind_of(kind)
    try:
        return _fitted(name, kind, value, written)
    except _Unfit as unfit:
        error = ValueError if unfit.has_right_type else TypeError
        raise error(f"{name} must be {kind.accepted(written)}, got {shown(value)}") from None


def unknown(noun: str, name: str, known: Iterable[str]) -> str:
    """Say that there is no setting, key or so of this name, and which one was probably meant."""
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    return f"there is no {noun} {quoted(name)}; {hint}"


def quoted(name: str) -> str:
    """Return a name as an error quotes it: as it is, or as `shown` unless it is one short line."""
    return name if name.isprintable() and 0 < len(name) <= _LONGEST else shown(name)


def shown(value: Any) -> str:
    """Return a value as an error quotes it: as in Python, on one line, and not too long."""
    text = " ".join(line.strip() for line in repr(value).splitlines())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def check_steps(steps: Any) -> int:
    """Return a number of steps as an `int`, or raise `ValueError` or `TypeError`."""
    if check_whole("steps", steps) < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    return check_whole("steps", steps)


def check_episodes(steps: Any, episodes: Any, pick: Any, of: Any, max_steps: Any) -> None:
    """Raise `ValueError` where settings of a clip of whole episodes contradict each other."""
    if episodes is not None and pick:
        raise ValueError(
            "pick shows the episodes that it names, and episodes is a length: give one of the two"
        )
    if steps is not None and (episodes is not None or pick):
        raise ValueError(
            f"steps is {steps}, and {'pick' if pick else 'episodes'} shows whole episodes: leave "
            "steps out, or give start and stop for a part"
        )
    if of is not None and not pick:
        raise ValueError(f"of is {of}, and there is no pick: of is how many episodes it is out of")
    if max_steps is not None and not pick and episodes is None:
        raise ValueError(
            f"max_steps is {max_steps}, and cuts whole episodes, for pick and episodes: give one "
            "of those, or steps"
        )
    if of is not None:
        check_picks(pick, of)


def check_picks(pick: Any, count: int) -> None:
    """Raise `ValueError` where episodes are picked out of fewer than there have to be."""
    if callable(pick):
        return
    if len(set(pick)) > count:
        raise ValueError(
            f"pick names {len(set(pick))} episodes, out of {count}: of must be at least as many"
        )
    for number in pick:
        if isinstance(number, int) and number >= count:
            raise ValueError(f"pick has episode {number}, and there are 0 to {count - 1}")


def check_whole(name: str, number: Any) -> int:
    """Return a whole number, of NumPy's or Python's, as an `int`, or raise `TypeError`."""
    try:
        if not isinstance(number, bool):
            return operator.index(number)
    except TypeError:
        pass
    raise TypeError(f"{name} must be a whole number, got {number!r}")


def check_seed(key: Any) -> Any:
    """Return a random key as it is, or a seed as an `int`.

    Raises:
        TypeError: It is neither a JAX PRNG key, a whole number nor `None`.
        ValueError: It is a seed below 0 or above 2^32 - 1, or an array of several keys.
    """
    if key is None:
        return None
    if hasattr(key, "dtype") and getattr(key, "shape", ()) != ():
        if key.shape == (2,) and str(key.dtype) == "uint32":
            return key  # `jax.random.PRNGKey` makes such plain numbers
        raise ValueError(f"key must be one JAX PRNG key or a seed, got an array {key.shape}")
    if str(getattr(key, "dtype", "")).startswith("key<"):
        return key
    seed = check_whole("key", key)
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"a seed must be 0 to {LARGEST_SEED}, got {seed}")
    return seed


def check_env(verb: str, env: Any) -> None:
    """Raise `TypeError` where something was given that only makes an environment, or names it.

    Args:
        verb: The function that it was given to.
        env: What was given.
    """
    if isinstance(env, type) or inspect.isroutine(env):
        name = env.__name__
        what = "class" if isinstance(env, type) else "function"
        raise TypeError(
            f"{name} is a {what}, and {verb} needs an environment: write {verb}({name}(), ...)"
        )
    if env is None or isinstance(env, str | bytes | os.PathLike):
        raise TypeError(f"{verb} needs an environment, such as CartPole(), got {shown(env)}")


def check_policy(env: Any, policy: Any | None) -> None:
    """Raise unless `policy` can act in `env`, as far as that shows without running either.

    Raises:
        TypeError: It is not callable or has no `reset`, as Lerax policies do.
        ValueError: It was made for observations or actions of another shape.
    """
    if policy is None:
        return
    if isinstance(policy, type):
        raise TypeError(
            f"{policy.__name__} is a class, and policy must be one of it, such as "
            f"{policy.__name__}(env, key=key)"
        )
    if not callable(policy) or not callable(getattr(policy, "reset", None)):
        raise TypeError(
            f"policy must be a Lerax policy (callable, with a reset method) or None, got {policy!r}"
        )
    for space in ("observation_space", "action_space"):
        theirs = getattr(getattr(policy, space, None), "shape", None)
        ours = getattr(getattr(env, space, None), "shape", None)
        if theirs != ours and theirs is not None and ours is not None:
            raise ValueError(
                f"the policy's {space} has shape {theirs}, the environment's has {ours}: "
                f"it was made for another environment"
            )


class _Unfit(Exception):
    def __init__(self, has_right_type: bool) -> None:
        self.has_right_type = has_right_type


def _fitted(name: str, kind: Kind, value: Any, written: bool) -> Any:
    if written and value is False and kind.may_be_false:
        return None
    if written and isinstance(value, str) and kind.text is not None:
        value = _parsed(kind, value)
    if kind.base is typing.Union:
        return _fitted_to_one(name, kind, value, written)
    if hasattr(value, "tolist"):
        # A number or an array of NumPy's or JAX's.
        value = value.tolist()
    if kind.base is Sequence:
        # A text is one item: nobody means its letters.
        items = [value] if isinstance(value, str | bytes | os.PathLike) else _items(value)
        if any(len(items) < (meta.min_length or 0) for meta in kind.metas):
            raise _Unfit(has_right_type=True)
        return tuple(_fitted(name, kind.parts[0], item, written) for item in items)
    if kind.base is tuple:
        items = _items(value)
        if len(items) != len(kind.parts):
            raise _Unfit(has_right_type=True)
        pairs = zip(kind.parts, items, strict=True)
        return tuple(_fitted(name, part, item, written) for part, item in pairs)
    if kind.is_table and isinstance(value, Mapping):
        return _made(name, kind.base, value, written)
    if kind.base is Path and isinstance(value, str | os.PathLike):
        return Path(value)
    if not kind.is_object:
        return _single(kind, value)
    if not isinstance(value, kind.base):
        raise _Unfit(has_right_type=False)
    # Whoever changes their own dictionary later does not mean this one.
    return dict(value) if kind.base is Mapping else value


def _fitted_to_one(name: str, kind: Kind, value: Any, written: bool) -> Any:
    """Fit a value to the first member of a union that takes it."""
    if value is None and kind.is_optional:
        return None
    has_right_type = False
    for part in kind.parts:
        try:
            return _fitted(name, part, value, written)
        except _Unfit as unfit:
            has_right_type |= unfit.has_right_type
    raise _Unfit(has_right_type)


def _made(name: str, cls: Any, table: Mapping[str, Any], written: bool) -> Any:
    """Make an object that has settings of its own of a table of them."""
    known = settings_of(cls)
    for key in table:
        if key not in known:
            raise ValueError(f"{name}: {unknown('setting', str(key), known)}")
    values = {
        key: checked(f"{name}.{key}", known[key].kind, value, written=written)
        for key, value in table.items()
    }
    return cls(**values)


def _single(kind: Kind, value: Any) -> Any:
    """Have msgspec, which knows Python's own types alone, check a value without parts."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    elif not isinstance(value, bool | str | bytes):
        if hasattr(value, "__index__"):
            value = operator.index(value)
        elif isinstance(value, Real):
            value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _Unfit(has_right_type=kind.base is float)
    base = Literal[kind.choices] if kind.choices else kind.base
    try:
        return msgspec.convert(value, Annotated[base, *kind.metas] if kind.metas else base)
    except msgspec.ValidationError:
        pass
    try:
        msgspec.convert(value, type(kind.choices[0]) if kind.choices else kind.base)
    except msgspec.ValidationError:
        raise _Unfit(has_right_type=False) from None
    raise _Unfit(has_right_type=True)


def _parsed(kind: Kind, text: str) -> Any:
    assert kind.text is not None
    try:
        return kind.text.parse(text)
    except ValueError:
        raise _Unfit(has_right_type=True) from None


def _items(value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _Unfit(has_right_type=False)
    return value


def check_room(grid: tuple[int, int] | None, count: int, what: str) -> None:
    """Raise `ValueError` where a grid has fewer tiles than there are of what it shows.

    Args:
        grid: Rows and columns; `None` where there is none.
        count: How many tiles are needed.
        what: It is that needs them, in the plural.
    """
    if grid is not None and math.prod(grid) < count:
        rows, columns = grid
        raise ValueError(f"a grid of {rows}x{columns} has no room for {count} {what}")


def nearly_square(count: int) -> tuple[int, int]:
    """Return rows and columns of a grid with room for so many tiles, and little more."""
    columns = math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns
