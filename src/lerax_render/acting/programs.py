"""Compiled programs that are shared: by like environments, and by processes side by side."""

import copy
import fcntl
import hashlib
import os
import sys
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

_LOCKS = ".lerax-render.lock"
_PATIENCE = 30.0, 60.0
"""Seconds that another process may take to compile a program, and as many times as long as it took
to lower it. Longer than that, and it was stopped rather than busy."""

_compiled: set[int] = set()
"""Hashes of what was compiled here, or read from JAX's cache."""

_models: weakref.WeakValueDictionary[bytes, Any] = weakref.WeakValueDictionary()
"""A `mujoco.MjModel` of each content."""

_own: weakref.WeakSet[Any] = weakref.WeakSet()
"""Those that stand for themselves: what was compiled for one is its own, also after a change."""


def form_of(tree: Any) -> Hashable:
    """Return all of a tree but the values of its arrays; it equals that of like trees."""
    arrays, static = eqx.partition(tree, eqx.is_array)
    leaves, structure = jax.tree.flatten(static)
    shapes = tuple((leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(arrays))
    return structure, tuple(leaves), jax.tree.structure(arrays), shapes


def with_shared_models(env: Any) -> Any:
    """Return an environment that shares its compiled rollouts with others that are made like it.

    JAX compiles anew for whatever is no array and does not equal what it was, and a
    `mujoco.MjModel` equals nothing but itself. So each stands for all that have the same content.
    """
    mujoco = sys.modules.get("mujoco")
    return env if mujoco is None else _shared(env, mujoco)


def _shared(node: Any, mujoco: Any) -> Any:
    if isinstance(node, mujoco.MjModel):
        return _stand_in(node, mujoco)
    if not isinstance(node, eqx.Module):
        return node
    shared = {name: _shared(value, mujoco) for name, value in vars(node).items()}
    if all(shared[name] is value for name, value in vars(node).items()):
        return node
    node = copy.copy(node)
    vars(node).update(shared)
    return node


def _stand_in(model: Any, mujoco: Any) -> Any:
    if model in _own:
        return model
    content = _content(model, mujoco)
    found = _models.get(content)
    # Either may have been changed since.
    if found is None or _content(found, mujoco) != content:
        found = _models[content] = model
        _own.add(model)
    return found


def _content(model: Any, mujoco: Any) -> bytes:
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return hashlib.sha256(buffer).digest()


def in_turn[**P, T](function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that is compiled once for all processes that share JAX's cache.

    One of them compiles it; those that want it meanwhile wait, and read it from the cache.

    Args:
        function: Made by `eqx.filter_jit`; what it returns is called with arguments of one form.
    """
    is_compiled = False

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal is_compiled
        if not is_compiled:
            _compile_in_turn(function, *args, **kwargs)
            is_compiled = True
        return function(*args, **kwargs)

    return call


def _compile_in_turn(function: Any, *arguments: Any, **named: Any) -> None:
    folder = jax.config.jax_compilation_cache_dir
    if not folder or not jax.config.jax_enable_compilation_cache:
        return
    key = hash((function, form_of((arguments, named))))
    if key in _compiled:
        return
    begin = time.monotonic()
    lowered = function.lower(*arguments, **named)
    least, times = _PATIENCE
    patience = max(least, times * (time.monotonic() - begin))
    with _turn(str(folder), _place_of(lowered.as_text()), patience):
        # JAX keeps it for the call that follows.
        lowered.compile()
    _compiled.add(key)


def _place_of(program: str) -> int:
    return int.from_bytes(hashlib.sha256(program.encode()).digest()[:7])


@contextmanager
def _turn(folder: str, place: int, patience: float) -> Iterator[None]:
    """Wait for the process that compiles a program, or be it while the block lasts.

    Those that have waited do not wait for each other: what was stored is quick to read, and JAX
    does not store everything. The lock is on one byte of a file, and ends with the process that
    holds it.

    Args:
        folder: Where JAX keeps what it compiles.
        place: Of the byte, which stands for the program.
        patience: Seconds to wait at most: the other one may have been stopped.
    """
    file = _locks(folder)
    is_first = file is not None and _took(file, place)
    if file is not None and not is_first:
        until = time.monotonic() + patience
        while not _took(file, place) and time.monotonic() < until:
            time.sleep(0.05)
        _leave(file, place)
    try:
        yield
    finally:
        if file is not None and is_first:
            _leave(file, place)


def _took(file: int, place: int) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except (BlockingIOError, PermissionError):
        return False
    # Not every disk has locks.
    except OSError:
        pass
    return True


def _leave(file: int, place: int) -> None:
    with suppress(OSError):
        fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


@cache
def _locks(folder: str) -> int | None:
    if "://" in folder:
        # A bucket, which is no place for locks.
        return None
    # It stays open: a process loses all its locks on a file when it closes it anywhere.
    try:
        os.makedirs(folder, exist_ok=True)
        return os.open(Path(folder, _LOCKS), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return None
