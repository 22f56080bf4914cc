"""Where a MuJoCo picture is taken from; `__init__.pyi` is this wing's face."""

import lazy_loader

__getattr__, __dir__, _ = lazy_loader.attach_stub(__name__, __file__)
