"""A scene whose captured steps are plain arrays."""

from dataclasses import dataclass

from lerax_render.scene import Scene


@dataclass(frozen=True)
class BareScene(Scene):
    """Has no painter of its own."""

    def painter(self, picture, *, pixel_format="rgb24", workers=1):
        raise NotImplementedError
