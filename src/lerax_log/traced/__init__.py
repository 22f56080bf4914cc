"""What is traced into a training: packets of numbers, and how they are packed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
