"""Parts of a MuJoCo model by name or number."""

import operator
from typing import SupportsIndex

import mujoco


def find_element(model: mujoco.MjModel, kind: mujoco.mjtObj, wish: str | SupportsIndex) -> int:
    """Return the number of a camera or a body.

    Raises:
        ValueError: The model has none such; the message lists what it has.
    """
    noun = "camera" if kind == mujoco.mjtObj.mjOBJ_CAMERA else "body"
    count = model.ncam if noun == "camera" else model.nbody
    number = (
        mujoco.mj_name2id(model, kind.value, wish)
        if isinstance(wish, str)
        else operator.index(wish)
    )
    if 0 <= number < count:
        return number
    names = [mujoco.mj_id2name(model, kind.value, i) or f"{i} (unnamed)" for i in range(count)]
    hint = ""
    if noun == "camera":
        hint = "; Camera(azimuth=90) sets one of your own, and None lets one be chosen"
    raise ValueError(f"the model has no {noun} {wish!r}; it has {', '.join(names) or 'none'}{hint}")
