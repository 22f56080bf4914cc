"""Environments and policies named by text, as the command line and gallery manifests name them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
