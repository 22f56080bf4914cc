"""The file that Lerax writes of a policy: its leaves in NumPy's format, one after the other.

Lerax 0.0.5 writes nothing else. Its main branch begins with a fingerprint of what is no array, and
leaves out the sizes of spaces, which are leaves in 0.0.5. Each kind is read with either Lerax.
"""

from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

_FINGERPRINT = 32
"""Bytes."""

_LARGEST_NUMBER = 16
"""Of a policy's parameters, in bytes: a complex one of double precision."""


def read_policy(file: BinaryIO, structure: Any) -> Any:
    """Return the policy in a file. It holds numbers only, and nothing is unpickled.

    Args:
        file: At its beginning.
        structure: The policy with `jax.ShapeDtypeStruct`s in the place of its arrays.

    Raises:
        ValueError: The file does not hold a policy of this structure; the message says where it
            differs.
    """
    import equinox as eqx
    import jax
    from lerax.space import AbstractSpace

    def is_space(node: Any) -> bool:
        return isinstance(node, AbstractSpace)

    stored = _fingerprint_in(file)
    readers = jax.tree.map(
        lambda node: _read_leaf_of_space if is_space(node) else _read_leaf,
        structure,
        is_leaf=is_space,
    )
    try:
        policy = eqx.tree_deserialise_leaves(file, structure, readers)
    except Exception as error:
        path: Any = getattr(error, "path", ())
        raise ValueError(
            f"at {jax.tree_util.keystr(path).lstrip('.')}, {_first_cause(error)}"
        ) from error
    if file.read(1):
        raise ValueError("there is more in the file than this policy has parameters")
    if stored is not None:
        _check(stored, structure)
    return policy


class _Header(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"

    @property
    def is_whole_number(self) -> bool:
        return self.shape == () and self.dtype.kind == "i"


def _fingerprint_in(file: BinaryIO) -> bytes | None:
    """Read what stands before the leaves, if anything does.

    Raises:
        ValueError: No leaves follow.
    """
    magic = np.lib.format.MAGIC_PREFIX
    beginning = file.read(_FINGERPRINT + len(magic))
    if beginning.startswith(magic):
        file.seek(0)
        return None
    has_one = beginning.endswith(magic)
    if len(beginning) == _FINGERPRINT + len(magic) and not has_one:
        raise ValueError("it is not a file that policy.serialize has written")
    file.seek(_FINGERPRINT if has_one else 0)
    return beginning[:_FINGERPRINT] if has_one else None


def _check(stored: bytes, structure: Any) -> None:
    import jax
    from lerax import utils

    fingerprint: Callable[[Any], bytes] | None = getattr(utils, "_structure_hash", None)
    # Lerax 0.0.5 builds the same policies of other leaves. And a function among the static fields
    # is known by its address, which is another one in each process.
    if fingerprint is None or " at 0x" in repr(jax.tree.structure(structure)):
        return
    built = fingerprint(structure)
    if stored != built:
        raise ValueError(
            f"its arrays fit, but the fingerprint in it is {stored.hex()[:8]}, and that of the "
            f"policy built here {built.hex()[:8]}: they differ in the class, in a field that is no "
            "array, or in the version of Lerax, Equinox or JAX"
        )


def _read_leaf(file: BinaryIO, like: Any) -> Any:
    """Read one leaf, whose header is that of an array like the one expected.

    `np.load` alone would also take an archive, and memory for whatever size a header claims.
    """
    import equinox as eqx

    if eqx.is_array_like(like) or hasattr(like, "dtype"):
        found = _peek(file)
        while found.shape != np.shape(like) and found.is_whole_number:
            # The size of a space, written by Lerax 0.0.5.
            file.seek(found.end + found.dtype.itemsize)
            found = _peek(file)
        # NumPy's format knows no bfloat16, and calls it void.
        dtype = found.dtype if found.dtype.kind == "V" else getattr(like, "dtype", found.dtype)
        if (found.shape, found.dtype) != (np.shape(like), dtype):
            precise = "float64" in str(found) and "float32" in str(dtype)
            raise ValueError(
                f"it has {found} in place of {dtype} {np.shape(like)}"
                + (", as under JAX_ENABLE_X64=1" if precise else "")
            )
        if found.dtype.hasobject or found.dtype.itemsize > _LARGEST_NUMBER:
            raise ValueError(f"it has {found} in place of a number")
    return eqx.default_deserialise_filter_spec(file, like)


def _read_leaf_of_space(file: BinaryIO, like: Any) -> Any:
    is_size = isinstance(like, int) and not isinstance(like, bool)
    return like if is_size and not _peek(file).is_whole_number else _read_leaf(file, like)


def _peek(file: BinaryIO) -> _Header:
    """Read the header of the array that comes next, and go back."""
    start = file.tell()
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
        version, np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(file)
    end = file.tell()
    file.seek(start)
    return _Header(shape, dtype, start, end)


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
