"""What is traced into a training: what an iteration reports, and how it gets to the host."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
