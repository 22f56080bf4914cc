"""The host's side of a training: sessions, their runs, and what happens when `learn` calls back."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
