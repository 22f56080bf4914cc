"""A child that loads a compiled model from a stranger, and does with it what painting does.

python -m lerax_render.export.model_trial FILE
"""

import resource
import sys
from pathlib import Path

MOST_MEMORY = 4 * 2**30
"""Bytes of address space, the libraries' own among them."""

FINEST = 512
"""The most parts that round shapes and faces are divided into; MuJoCo's default is 28."""

LARGEST_SHADOW = 2**14
"""The most pixels along a side of a shadow map; MuJoCo's default is 4096."""

SECONDS = 60.0


def main(file: str) -> None:
    """Load the model in a file, or raise, or be ended by the system."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    import mujoco
    import numpy as np

    model = mujoco.MjModel.from_binary_path("scene.mjb", {"scene.mjb": Path(file).read_bytes()})
    for name, most in (
        ("numslices", FINEST),
        ("numstacks", FINEST),
        ("numquads", FINEST),
        ("shadowsize", LARGEST_SHADOW),
    ):
        # These take memory when the model is painted, which is not done here.
        if not 0 <= getattr(model.vis.quality, name) <= most:
            raise ValueError(f"its {name} is not 0 to {most}")
    for faces, count, first, vertices, parts in (
        ("mesh_face", "mesh_facenum", "mesh_faceadr", "mesh_vertnum", model.nmesh),
        ("mesh_facenormal", "mesh_facenum", "mesh_faceadr", "mesh_normalnum", model.nmesh),
    ):
        # What GL is given without another look.
        for part in range(parts):
            start = getattr(model, first)[part]
            used = getattr(model, faces)[start : start + getattr(model, count)[part]]
            if used.size and not 0 <= used.min() <= used.max() < getattr(model, vertices)[part]:
                raise ValueError(f"mesh {part} has faces of vertices that it has not")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    if not np.isfinite(data.xpos).all():
        raise ValueError("bodies at places that are not finite")
    scene = mujoco.MjvScene(model, 10_000)
    camera, option = mujoco.MjvCamera(), mujoco.MjvOption()
    everything = mujoco.mjtCatBit.mjCAT_ALL
    mujoco.mjv_updateScene(model, data, option, None, camera, everything, scene)


if __name__ == "__main__":
    main(sys.argv[1])
