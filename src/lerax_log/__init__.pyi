from .backends import AbstractLoggingBackend as AbstractLoggingBackend
from .backends import ConsoleBackend as ConsoleBackend
from .backends import JsonLinesBackend as JsonLinesBackend
from .backends import MlflowBackend as MlflowBackend
from .backends import TensorBoardBackend as TensorBoardBackend
from .backends import TrackioBackend as TrackioBackend
from .backends import WandbBackend as WandbBackend
from .callback import LoggingCallback as LoggingCallback
