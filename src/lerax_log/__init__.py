"""Logging of Lerax trainings: metrics, hyperparameters and videos of the policy as it learns.

    from lerax_log import LoggingCallback, TensorBoardBackend

    with LoggingCallback(TensorBoardBackend(), video_interval=10) as callback:
        policy = algorithm.learn(env, policy, total_timesteps, key=key, callback=callback)

Importing this package loads neither JAX nor a logging library: each public name below imports its
module when it is first used, and a backend its library when a run is opened.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backends import (
        AbstractLoggingBackend,
        ConsoleBackend,
        TensorBoardBackend,
        WandbBackend,
    )
    from .callback import LoggingCallback

__all__ = [
    "AbstractLoggingBackend",
    "ConsoleBackend",
    "LoggingCallback",
    "TensorBoardBackend",
    "WandbBackend",
]

_HOMES = {
    "AbstractLoggingBackend": "backends.base",
    "ConsoleBackend": "backends.console",
    "LoggingCallback": "callback",
    "TensorBoardBackend": "backends.tensorboard",
    "WandbBackend": "backends.wandb",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
