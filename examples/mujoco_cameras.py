"""Shows a MuJoCo simulation from several cameras at once, and how far away everything is.

    python examples/mujoco_cameras.py -o cameras.mp4

A renderer does not belong to a simulation: here, three of them draw the same `MjData`.
"""

import argparse
from contextlib import ExitStack
from pathlib import Path

import mujoco
import numpy as np

import lerax_render as lr

SCENE = Path(__file__).parents[1] / "assets/scenes/arm.xml"
WIDTH, HEIGHT, FPS = 320, 320, 25
FARTHEST = 3.0  # metres, black in the depth picture

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("-o", "--output", default="cameras.mp4")
parser.add_argument("--steps", type=int, default=100)
options = parser.parse_args()

model = mujoco.MjModel.from_xml_path(str(SCENE))
data = mujoco.MjData(model)
low, high = model.actuator_ctrlrange.T
cameras = [
    "overview",  # one of the model's own
    lr.Camera(azimuth=90, elevation=-10),  # from the side, as close as possible
    lr.Camera(azimuth=200, elevation=-35, distance=2.2),
]

with ExitStack() as stack:
    writer = stack.enter_context(lr.VideoWriter(options.output, FPS))
    views = [
        stack.enter_context(lr.HeadlessMujocoRenderer(model, WIDTH, HEIGHT, camera=camera))
        for camera in cameras
    ]
    for step in range(options.steps):
        data.ctrl = low + (high - low) * (0.5 + 0.4 * np.sin(step / 12 + np.arange(model.nu)))
        mujoco.mj_step(model, data, nstep=round(1 / (FPS * model.opt.timestep)))
        pictures = [view.render(data) for view in views]
        _, depth = views[0].read_pixels()
        grey = 255 * (1 - np.clip(depth / FARTHEST, 0, 1))
        pictures.append(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))
        top, bottom = np.hstack(pictures[:2]), np.hstack(pictures[2:])
        writer.write(np.vstack([top, bottom]))
print(f"{options.output}: {writer.video.num_frames} frames of {WIDTH * 2}x{HEIGHT * 2}")
