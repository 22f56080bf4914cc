from .backend import ConsoleBackend as ConsoleBackend
