"""What MuJoCo draws, as data: shapes, textures, looks and ways; `__init__.pyi` is the face."""

import lazy_loader

__getattr__, __dir__, _ = lazy_loader.attach_stub(__name__, __file__)
