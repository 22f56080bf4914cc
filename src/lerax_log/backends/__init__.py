"""Where a run's metrics and videos go.

Importing this package loads none of tensorboardX, wandb or rich: each backend imports its library
when it is opened.
"""

from .base import AbstractLoggingBackend, HParam
from .console import ConsoleBackend
from .tensorboard import TensorBoardBackend
from .wandb import WandbBackend

__all__ = [
    "AbstractLoggingBackend",
    "ConsoleBackend",
    "HParam",
    "TensorBoardBackend",
    "WandbBackend",
]
