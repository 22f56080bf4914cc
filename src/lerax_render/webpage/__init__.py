"""What all pages of ours have in common: how they are filled, and their looks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
