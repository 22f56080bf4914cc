"""A page of training runs: their curves, their recordings, and what they differ in."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
