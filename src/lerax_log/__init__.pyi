from .backends import AbstractLoggingBackend as AbstractLoggingBackend
from .backends import ConsoleBackend as ConsoleBackend
from .backends import JsonLinesBackend as JsonLinesBackend
from .backends import TensorBoardBackend as TensorBoardBackend
from .backends import WandbBackend as WandbBackend
from .callback import LoggingCallback as LoggingCallback
