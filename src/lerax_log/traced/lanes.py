"""One call of the host for all lanes of a training, whatever it is mapped over.

A callback under `jax.vmap` is called once a lane, and under `jax.shard_map` once a device. None of
these calls could tell how many others there are, nor which one it is.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp
from jax.custom_batching import custom_vmap
from jax.experimental import io_callback

from .skeleton import Skeleton

type Numbering = Callable[[tuple[int, ...], int, Any, Any, Any], np.ndarray]
"""Called on the host with the sizes of the axes that `jax.vmap` maps over, the number of devices
that call, which of them does, and the arrays for each lane and for all; returns the lanes'
numbers, `int32` of those sizes."""


def numbered(number: Numbering, per_lane: Any, witnesses: Any, shared: Any) -> jax.Array:
    """Have the host give each lane a number, in one call for all lanes of a device.

    Args:
        number: Called on the host.
        per_lane: Arrays for `number`, which gets those of all lanes along leading axes.
        witnesses: Arrays in which lanes can differ, so that mapping over them maps over this.
        shared: Arrays for `number`, which gets those of the first lane.

    Returns:
        The lane's number, `int32`.
    """
    mesh = jax.sharding.get_abstract_mesh()
    devices = math.prod(mesh.shape[axis] for axis in mesh.manual_axes)
    device = lax.axis_index(mesh.manual_axes) if mesh.manual_axes else jnp.zeros((), jnp.int32)
    return _numbered(number, (), devices, (per_lane, witnesses), (device, shared))


def _numbered(
    number: Numbering, sizes: tuple[int, ...], devices: int, per_lane: Any, shared: Any
) -> jax.Array:
    @custom_vmap
    def call(per_lane: Any, shared: Any) -> Any:
        arrays, _ = per_lane
        device, others = shared
        return io_callback(
            partial(number, sizes, devices),
            jax.ShapeDtypeStruct(sizes, jnp.int32),
            *(device, arrays, others),
            ordered=False,
        )

    @call.def_vmap
    def call_for_all(size: int, is_mapped: Any, per_lane: Any, shared: Any) -> Any:
        def everywhere(x: jax.Array, mapped: bool) -> jax.Array:
            return x if mapped else jnp.broadcast_to(x, (size, *x.shape))

        def first(x: jax.Array, mapped: bool) -> jax.Array:
            return x[0] if mapped else x

        per_lane = jax.tree.map(everywhere, per_lane, is_mapped[0])
        shared = jax.tree.map(first, shared, is_mapped[1])
        return _numbered(number, (size, *sizes), devices, per_lane, shared), True

    numbers: jax.Array = call(per_lane, shared)
    return numbers


def answered(receive: Callable[[Any], np.ndarray], array: jax.Array) -> jax.Array:
    """Have the host receive an array of every lane, in one call, and return its answer to all.

    It works within `lax.cond` under `jax.vmap`, as an `io_callback` does not. JAX leaves the call
    out where nothing depends on the answer, and may repeat it.

    Args:
        receive: Called on the host with the arrays of all lanes along leading axes, one for each
            axis that `jax.vmap` maps over. It returns an `int32` scalar.
        array: This lane's array.

    Returns:
        The answer, which is the same for all lanes: what it decides is decided for all of them.
    """

    @custom_vmap
    def call(array: jax.Array) -> Any:
        return jax.pure_callback(receive, jax.ShapeDtypeStruct((), jnp.int32), array)

    @call.def_vmap
    def call_for_all(size: int, is_mapped: Any, array: jax.Array) -> Any:
        return answered(receive, array), False

    answer: jax.Array = call(array)
    return answer


def witnesses(*trees: Any) -> list[jax.Array]:
    """Return one number of each array: as many as can tell lanes, or moments, apart."""
    arrays = [array for tree in trees for array in Skeleton(tree).arrays(tree)]
    return [array[(0,) * array.ndim] for array in arrays if array.size]
