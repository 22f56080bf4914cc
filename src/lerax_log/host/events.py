"""What a compiled training calls on the host.

Traced code holds numbers only, that of a session and later those of its learns; the objects behind
them are looked up here. A callback with the same settings as an earlier one therefore runs through
the same compiled `learn`, and nothing in a compilation cache keeps a run alive.

Nothing here raises: an exception in a callback ends the training. Only a Ctrl-C is let through.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lerax_render.errors import warn

from ..backends import Stage
from ..traced import SEED, Layout, is_telling, newest, plain, seed_of
from . import session as sessions
from .handles import Handle
from .start import Start

if TYPE_CHECKING:
    from ..recordings import Template

_log = logging.getLogger(__name__)

NO_LEARN = -1
"""The number of a `learn` that nothing is logged of."""


def announce(handle: Handle, stage: Stage) -> None:
    """Show what JAX is doing with the `learn` that it is tracing."""
    with _reported():
        session = handle.traced_session
        if session is not None and jax.process_index() == 0:
            session.announce(stage)


def open_learns(
    start: Start,
    sizes: tuple[int, ...],
    devices: int,
    device: Any,
    traced_hparams: Any,
    shared: tuple[Any, Any],
) -> np.ndarray:
    """Begin a `learn` in the run of each lane, which is opened if it is not open.

    Args:
        start: What is known of the training.
        sizes: Sizes of the axes that `learn` is mapped over.
        devices: Number of devices that call this for the same training, each for its own lanes.
        device: Which of them calls, from 0.
        traced_hparams: Arrays whose leading axes are `sizes`, in the order of their names.
        shared: The session's number; and the arrays of the first lane's environment, which are
            ignored where videos are not asked for.

    Returns:
        The numbers of the learns, `int32` of the shape `sizes`.
    """
    numbers = np.full(math.prod(sizes), NO_LEARN, np.int32)
    number, env_arrays = shared
    # All processes of a multi-process program train; one of them logs.
    if jax.process_index() == 0:
        with _reported():
            values = [np.asarray(v).reshape(-1, *v.shape[len(sizes) :]) for v in traced_hparams]
            named = list(zip(start.traced_hparams, values, strict=True))
            hparams = [
                {
                    name: (seed_of if name == SEED else plain)(v[lane])
                    for name, v in named
                    if name == SEED or is_telling(v[lane])
                }
                for lane in range(len(numbers))
            ]
            env = None if start.env_skeleton is None else start.env_skeleton.restore(env_arrays)
            session = sessions.find(int(number))
            numbers[:] = session.open(start, hparams, env, int(device), devices)
    return numbers.reshape(sizes)


def receive(layout: Layout, interval: int, packets: Any) -> np.ndarray:
    """Log what iterations report, once, however often it arrives.

    Args:
        layout: Layout of the packets.
        interval: Fewest iterations until the next packets.
        packets: `int32 (..., rows, size)`, an outbox for each lane: in the row `(n - 1) % rows` is
            the packet of iteration `n`, for as many iterations as there are rows.

    Returns:
        The iteration at which the next packets are due, an `int32` scalar.
    """
    iteration, wait = 0, 1
    with _reported():
        rows, size = packets.shape[-2:]
        wait = rows
        for lane in np.asarray(packets).reshape(-1, rows, size):
            number, iteration = newest(lane)
            if learn := sessions.find_learn(number):
                learn.receive(layout, lane)
                wait = learn.may_wait
        wait = min(max(wait, interval), rows)
    return np.asarray(iteration + wait, np.int32)


def record(layout: Layout, template: "Template", packet: Any, seed: Any, arrays: Any) -> None:
    """Have an iteration recorded, if it is to be.

    Args:
        layout: Layout of the packet.
        template: What does not change in environment and policy.
        packet: `int32 (size,)`.
        seed: Seed of the rollout, `uint32`.
        arrays: Arrays of environment and policy. They are kept, not copied.
    """
    with _reported():
        (report,) = layout.unpack(np.asarray(packet)[None])
        if learn := sessions.find_learn(report.learn):
            learn.record(report, partial(template.snapshot, arrays, int(seed)))


def record_first(template: "Template", number: Any, seed: Any, arrays: Any) -> None:
    """Have the policy recorded as it is before its training.

    Args:
        template: What does not change in environment and policy.
        number: The number of the `learn`.
        seed: Seed of the rollout, `uint32`.
        arrays: Arrays of environment and policy. They are kept, not copied.
    """
    with _reported():
        if learn := sessions.find_learn(int(number)):
            learn.record_first(partial(template.snapshot, arrays, int(seed)))


def end(number: Any, packets: Any = None, *after: Any) -> None:
    """End a `learn`.

    Args:
        number: The number of the `learn`.
        packets: Its outbox, `int32 (rows, CAPACITY)`: a training that has ended sooner than was
            known when it began has not sent its last iterations.
        after: Anything that is computed last, so that this is called last.
    """
    with _reported():
        if learn := sessions.find_learn(int(number)):
            learn.end(None if packets is None else np.asarray(packets))


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # No more than a line of it on a terminal where nobody has set up logging.
        _log.info("logging failed", exc_info=True)
        warn(
            f"logging failed: {type(error).__name__}: {error}. The training goes on; the traceback "
            f"is in the log of {__name__!r}, at level INFO"
        )
