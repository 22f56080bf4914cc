"""Makes assets/hero.gif, which the README opens with: python assets/hero.py.

Four clips side by side in one GIF that keeps under 1 MB.
"""

import tempfile
from pathlib import Path

from lerax_render.clips import Clip
from lerax_render.grid import Grid
from lerax_render.presets import LimitedGifWriter

FOLDER = Path(__file__).parent
FPS, SECONDS = 20, 6
TILES = {
    "CartPole, trained": {"env": "CartPole", "policy": ("policies/cartpole.eqx",)},
    "Acrobot, trained": {"env": "Acrobot", "policy": ("policies/acrobot.eqx",)},
    "an MJCF file": {"env": "scenes/arm.xml"},
    "Gymnasium's HalfCheetah": {
        "env": "gym:HalfCheetah-v5",
        "env_args": {"width": 480, "height": 440},
    },
}


def main() -> None:
    """Record the tiles without loss, and put them together."""
    grid = Grid((1, len(TILES)), 960, 220, list(TILES))
    shape = {"width": grid.tile_width, "height": grid.tile_height, "fps": FPS}
    with tempfile.TemporaryDirectory() as folder:
        clips = [
            Clip(**tile, **shape, steps=FPS * SECONDS, deterministic=True, folder=FOLDER)
            .record(Path(folder) / f"{number}.apng")
            .frames()
            for number, tile in enumerate(TILES.values())
        ]
    picture = grid.empty(3)
    with LimitedGifWriter(FOLDER / "hero.gif", FPS, max_size=1_000_000) as writer:
        for frames in zip(*clips, strict=True):
            for number, frame in enumerate(frames):
                grid.place(picture, number, frame)
            writer.write(picture)
    print(f"{writer.video.path}: {writer.video.num_bytes / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
