"""Makes assets/hero.webp, which the README opens with: python assets/hero.py.

Four clips side by side in one WebP that keeps under 1 MB, each in real time.
"""

import tempfile
from pathlib import Path

from lerax_render.batch.clip import Clip
from lerax_render.compose.grid import Grid
from lerax_render.video.limits import LimitedWriter

FOLDER = Path(__file__).parent
FPS, SECONDS = 20, 6
# None of them takes more steps a second.
STEPS = 50 * SECONDS
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
    shape = {"width": grid.tile_width, "height": grid.tile_height, "steps": STEPS}
    with tempfile.TemporaryDirectory() as folder:
        clips = [
            Clip(**tile, **shape, deterministic=True, folder=FOLDER).record(
                Path(folder) / f"{number}.apng"
            )
            for number, tile in enumerate(TILES.values())
        ]
        frames = [clip.frames() for clip in clips]
    picture = grid.empty(3)
    with LimitedWriter(FOLDER / "hero.webp", FPS, max_size=1_000_000) as writer:
        for time in range(FPS * SECONDS):
            for number, clip in enumerate(clips):
                grid.place(picture, number, frames[number][int(time * clip.fps / FPS)])
            writer.write(picture)
    print(f"{writer.video.path}: {writer.video.num_bytes / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
