"""Figures for papers: several moments, or the way of something, on a page of a size in print."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
