"""A traced function evaluated on the host, for many states at a time and without compiling.

XLA takes seconds for a function of a thousand small operations, and minutes for one of ten
thousand. What it would compile is a list of such operations: here NumPy computes each for all
states together, which takes microseconds.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import numpy as jnp

__all__ = ["evaluate"]


class _Value(NamedTuple):
    """What an operation takes and gives.

    Attributes:
        array: An array; where it is batched, the states are its first axis.
        batched: Whether it differs from state to state.
    """

    array: Any
    batched: bool


def evaluate(jaxpr: Any, arguments: Sequence[Any], batched: Sequence[bool], size: int) -> list[Any]:
    """Evaluate a function for several states.

    Args:
        jaxpr: A `jax.core.ClosedJaxpr`: the function of one state.
        arguments: Arrays, one for each of its inputs.
        batched: Whether each of them has the states as its first axis.
        size: Number of states.

    Returns:
        An array for each of its outputs, with the states as its first axis, which may be read-only.
    """
    given = [
        _Value(_plain(array), of_each) for array, of_each in zip(arguments, batched, strict=True)
    ]
    with np.errstate(all="ignore"):
        outputs = _run(jaxpr, given, size)
    return [_stretched(value, size) for value in outputs]


def _run(jaxpr: Any, arguments: Sequence[_Value], size: int) -> list[_Value]:
    known: dict[Any, _Value] = {}

    def read(atom: Any) -> _Value:
        if hasattr(atom, "val"):
            return _Value(np.asarray(atom.val, atom.aval.dtype), False)
        return known[atom]

    inner = jaxpr.jaxpr
    constants = [_Value(_plain(constant), False) for constant in jaxpr.consts]
    known.update(zip(inner.constvars, constants, strict=True))
    known.update(zip(inner.invars, arguments, strict=True))
    for equation in inner.eqns:
        inputs = [read(atom) for atom in equation.invars]
        called = equation.params.get(_CALLS.get(equation.primitive.name, ""))
        outputs = (
            _computed(equation, inputs, size) if called is None else _run(called, inputs, size)
        )
        known.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in inner.outvars]


# What calls another function, and under which name it has it.
_CALLS = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
}


def _computed(equation: Any, inputs: list[_Value], size: int) -> list[_Value]:
    batched = any(value.batched for value in inputs)
    compute = _OPERATIONS.get(equation.primitive.name)
    if compute is not None:
        array = compute(equation, inputs, (size,) if batched else ())
        if array is not None:
            return [_Value(array, batched)]
    axes = tuple(0 if value.batched else None for value in inputs)
    parameters = tuple(equation.params.items())
    try:
        function = _by_jax(equation.primitive, parameters, axes)
    except TypeError:  # one of the parameters has no hash
        function = _by_jax.__wrapped__(equation.primitive, parameters, axes)
    found = function(*(value.array for value in inputs))
    if not equation.primitive.multiple_results:
        found = [found]
    return [_Value(_plain(array), batched) for array in found]


@functools.lru_cache(maxsize=512)
def _by_jax(
    primitive: Any, parameters: tuple[tuple[str, Any], ...], axes: tuple[int | None, ...]
) -> Callable[..., Any]:
    """An operation for which there is none here, compiled for all states."""
    given = primitive.get_bind_params(dict(parameters))
    # In older versions of JAX, functions among them are apart.
    functions, remaining = given if isinstance(given, tuple) else ((), given)

    def bind(*arrays: Any) -> Any:
        return primitive.bind(*functions, *arrays, **remaining)

    return jax.jit(jax.vmap(bind, in_axes=axes) if any(a == 0 for a in axes) else bind)


def _plain(array: Any) -> Any:
    """A NumPy array, unless NumPy has no such dtype: random keys."""
    if isinstance(array, jax.Array) and jnp.issubdtype(array.dtype, jax.dtypes.extended):
        return array
    return np.asarray(array)


def _stretched(value: _Value, size: int) -> Any:
    array = value.array
    return array if value.batched else np.broadcast_to(array, (size, *np.shape(array)))


# Each takes an equation, its inputs, and the axes before those that the equation speaks of: the
# states', or none where no input is batched. It returns an array, or None where JAX has to help.

type _Operation = Callable[[Any, list[_Value], tuple[int, ...]], Any]


def _elementwise(function: Callable[..., Any], *, of_integers: bool = True) -> _Operation:
    def compute(equation: Any, inputs: list[_Value], _: tuple[int, ...]) -> Any:
        if not of_integers and equation.invars[0].aval.dtype.kind != "f":
            return None
        # Shapes are equal there, so that the states' axis broadcasts by itself.
        return function(*_aligned(equation, inputs))

    return compute


def _aligned(equation: Any, inputs: list[_Value]) -> list[Any]:
    """Arrays that broadcast together: single numbers of several states get more axes."""
    rank = equation.outvars[0].aval.ndim
    return [
        value.array.reshape(value.array.shape + (1,) * rank)
        if rank and value.batched and variable.aval.ndim == 0
        else value.array
        for value, variable in zip(inputs, equation.invars, strict=True)
    ]


def _select(equation: Any, inputs: list[_Value], _: tuple[int, ...]) -> Any:
    which, *cases = _aligned(equation, inputs)
    return np.where(which, *cases[::-1]) if len(cases) == 2 and which.dtype == bool else None


def _convert(equation: Any, inputs: list[_Value], _: tuple[int, ...]) -> Any:
    old, new = (variable.aval.dtype for variable in (equation.invars[0], equation.outvars[0]))
    # NumPy leaves open what becomes of numbers that no integer can hold.
    if jnp.issubdtype(old, np.inexact) and jnp.issubdtype(new, np.integer):
        return None
    return inputs[0].array.astype(new)


def _broadcast(equation: Any, inputs: list[_Value], lead: tuple[int, ...]) -> Any:
    if len(inputs) > 1:  # the sizes are computed, too
        return None
    shape = [1] * len(equation.params["shape"])
    for place, length in zip(
        equation.params["broadcast_dimensions"], equation.invars[0].aval.shape, strict=True
    ):
        shape[place] = length
    whole = inputs[0].array.reshape((*lead, *shape))
    return np.broadcast_to(whole, (*lead, *equation.params["shape"]))


def _reshape(equation: Any, inputs: list[_Value], lead: tuple[int, ...]) -> Any:
    if equation.primitive.name == "reshape" and equation.params["dimensions"] is not None:
        return None
    return inputs[0].array.reshape((*lead, *equation.outvars[0].aval.shape))


def _slice(equation: Any, inputs: list[_Value], lead: tuple[int, ...]) -> Any:
    starts, limits = equation.params["start_indices"], equation.params["limit_indices"]
    strides = equation.params["strides"] or (1,) * len(starts)
    return inputs[0].array[(..., *map(slice, starts, limits, strides))]


def _concatenate(equation: Any, inputs: list[_Value], lead: tuple[int, ...]) -> Any:
    arrays = [
        value.array
        if value.batched or not lead
        else np.broadcast_to(value.array, (*lead, *value.array.shape))
        for value in inputs
    ]
    return np.concatenate(arrays, axis=len(lead) + equation.params["dimension"])


def _power(equation: Any, inputs: list[_Value], _: tuple[int, ...]) -> Any:
    return inputs[0].array ** equation.params["y"] if inputs[0].array.dtype.kind == "f" else None


_OPERATIONS: dict[str, _Operation] = {
    "abs": _elementwise(np.abs),
    "add": _elementwise(np.add),
    "and": _elementwise(np.bitwise_and),
    "atan2": _elementwise(np.arctan2),
    "broadcast_in_dim": _broadcast,
    "ceil": _elementwise(np.ceil),
    "concatenate": _concatenate,
    "convert_element_type": _convert,
    "cos": _elementwise(np.cos),
    "div": _elementwise(np.divide, of_integers=False),
    "eq": _elementwise(np.equal),
    "exp": _elementwise(np.exp),
    "floor": _elementwise(np.floor),
    "ge": _elementwise(np.greater_equal),
    "gt": _elementwise(np.greater),
    "integer_pow": _power,
    "is_finite": _elementwise(np.isfinite),
    "le": _elementwise(np.less_equal),
    "log": _elementwise(np.log),
    "lt": _elementwise(np.less),
    "max": _elementwise(np.maximum),
    "min": _elementwise(np.minimum),
    "mul": _elementwise(np.multiply),
    "ne": _elementwise(np.not_equal),
    "neg": _elementwise(np.negative),
    "not": _elementwise(np.invert),
    "or": _elementwise(np.bitwise_or),
    "reshape": _reshape,
    "select_n": _select,
    "sin": _elementwise(np.sin),
    "slice": _slice,
    "sqrt": _elementwise(np.sqrt),
    "square": _elementwise(np.square),
    "squeeze": _reshape,
    "stop_gradient": _elementwise(np.asarray),
    "sub": _elementwise(np.subtract),
    "tan": _elementwise(np.tan),
    "tanh": _elementwise(np.tanh),
    "xor": _elementwise(np.bitwise_xor),
}
