"""The child process of `gl.probe`: one small picture, and a line of JSON about it."""

import importlib
import json
import sys

import mujoco
import numpy as np

from .context import PlatformFailure, is_software

_SCENE = """<mujoco><worldbody><light pos="0 0 3"/><geom size="1"/></worldbody></mujoco>"""
_SIDE = 64


def draw(module: str) -> dict[str, object]:
    """Draw a ball on the GL platform of a module; the fields of a `Probe` but its name."""
    try:
        context = importlib.import_module(module, __package__).open_context()
    except PlatformFailure as failure:
        return {"ok": False, "reason": failure.reason, "remedy": failure.remedy}
    with context.current():
        model = mujoco.MjModel.from_xml_string(_SCENE)
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        camera = mujoco.MjvCamera()
        mujoco.mjv_defaultFreeCamera(model, camera)
        scene = mujoco.MjvScene(model, maxgeom=10)
        mujoco.mjv_updateScene(
            model, data, mujoco.MjvOption(), None, camera, mujoco.mjtCatBit.mjCAT_ALL.value, scene
        )
        drawing = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, drawing)
        pixels = np.zeros((_SIDE, _SIDE, 3), np.uint8)
        viewport = mujoco.MjrRect(0, 0, _SIDE, _SIDE)
        mujoco.mjr_render(viewport, scene, drawing)
        mujoco.mjr_readPixels(pixels, None, viewport, drawing)
        drawing.free()
    context.close()
    facts: dict[str, object] = {
        "renderer": context.renderer,
        "hardware": not is_software(context.renderer),
    }
    if pixels[_SIDE // 2, _SIDE // 2].any():
        return {"ok": True, **facts}
    remedy = "update the GL driver, or use another GL platform (gl=, MUJOCO_GL)"
    return {"ok": False, "reason": "its picture is black", "remedy": remedy, **facts}


if __name__ == "__main__":
    print(json.dumps(draw(sys.argv[1])))
