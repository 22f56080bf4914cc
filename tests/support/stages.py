"""A stage of a page by itself, as a script in a browser has it, beside MuJoCo's own picture."""

import base64
import io
import time
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from PIL import Image
from selenium import webdriver

from lerax_render.mujoco import HeadlessMujocoRenderer, MujocoScene, Pose, poses
from lerax_render.player import make_page
from lerax_render.replay import Replay
from lerax_render.settings import Picture

PICTURE = Picture(width=640, height=480)
_BODILESS = (
    mujoco.mjtObj.mjOBJ_TENDON.value,
    mujoco.mjtObj.mjOBJ_FLEX.value,
    mujoco.mjtObj.mjOBJ_SKIN.value,
)


def swung(model: mujoco.MjModel, steps: int, picture: Picture = PICTURE) -> tuple[Replay, Any]:
    """Let a model move under random controls; return its replay, and its view if one is chosen."""
    data = mujoco.MjData(model)
    if model.nkey:
        mujoco.mj_resetDataKeyframe(model, data, 0)
    random = np.random.default_rng(0)
    captured = []
    for _ in range(steps):
        low, high = model.actuator_ctrlrange.T
        limited = random.uniform(low, np.maximum(low, high))
        free = random.uniform(-1, 1, model.nu)
        data.ctrl[:] = 0.6 * np.where(model.actuator_ctrllimited, limited, free)
        captured.append(Pose.of(data))
        mujoco.mj_step(model, data, 3)
    fields = list(zip(*captured, strict=True))[:-1]
    stacked = Pose(*(np.stack(field) for field in fields))
    scene = MujocoScene(model)
    view = scene.aimed(picture, stacked) if scene.looks_ahead(picture) else None
    return Replay(scene, stacked, 0.02), view


def page_with_stages(page: str) -> str:
    """The page with its stages where other scripts find them, and without its policy."""
    policy = page.index("<meta http-equiv")
    page = page[:policy] + page[page.index(">", policy) + 1 :]
    begin = "stages.build(false);"
    assert begin in page
    return page.replace(begin, f"window.stages = stages; {begin}")


class Staged:
    """A page of replays in a browser, and what it draws at 640 by 480 pixels."""

    def __init__(self, browser: webdriver.Chrome, folder: Path, *replays: Replay, **kwargs: Any):
        self.page = make_page(replays, kwargs.pop("picture", PICTURE), **kwargs)
        file = folder / "stages.html"
        file.write_text(page_with_stages(self.page))
        browser.get("about:blank")
        browser.get(f"file://{file}")
        self.browser = browser
        end = time.monotonic() + 60
        while self.script("document.documentElement.dataset.drawn === undefined"):
            assert time.monotonic() < end, browser.get_log("browser")
            time.sleep(0.02)
        self.first_ms = float(self.script("performance.now()"))

    def script(self, expression: str) -> Any:
        """The value of an expression, in which `stage` is the first one."""
        start = "const stage = window.stages?.tiles?.[0]?.stage; return "
        return self.browser.execute_script(start + expression)

    def picture(self, step: int, act: str = "0") -> np.ndarray:
        """What it draws at a step after some other expression, `uint8 (480, 640, 3)`."""
        address = self.script(
            f"({act}, stage.resize(640, 480, 1), stage.draw({step}, {{ fast: false }}), "
            "stage.canvas.toDataURL())"
        )
        image = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))
        return np.asarray(image.convert("RGB"))

    def movers(self, model: mujoco.MjModel) -> np.ndarray:
        """Where what moves is seen in the last picture, `bool (480, 640)`."""
        numbers, objects = self.script(
            "(({ numbers, items }) => [[...numbers], items.map(({ object }) => object)])"
            "(stage.identify(640, 480))"
        )
        moves = np.array([False, *(_moves(model, *each) for each in objects)])
        return moves[np.array(numbers).reshape(480, 640)[::-1]]


def movers_of(renderer: HeadlessMujocoRenderer) -> np.ndarray:
    """Where MuJoCo itself has what moves in its last picture, `bool (480, 640)`."""
    found = renderer.segmentation().reshape(-1, 2)
    distinct, which = np.unique(found, axis=0, return_inverse=True)
    moves = np.array([_moves(renderer.model, kind, number) for number, kind in distinct])
    return moves[which.ravel()].reshape(480, 640)


def _moves(model: mujoco.MjModel, kind: int, number: int) -> bool:
    if kind == mujoco.mjtObj.mjOBJ_GEOM:
        body = model.geom_bodyid[number]
    elif kind == mujoco.mjtObj.mjOBJ_SITE:
        body = model.site_bodyid[number]
    else:
        return kind in _BODILESS
    return bool(number >= 0 and (model.body_weldid[body] or model.body_mocapid[body] >= 0))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in decibels."""
    error = ((one.astype(float) - other) ** 2).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def compare(staged: Staged, replay: Replay, view: Any, steps: list[int]) -> tuple[list[float], ...]:
    """PSNR against our own frames at quality high, and IoU of what moves, at some steps."""
    model = replay.scene.model
    each = list(poses(replay.captured))
    decibels, overlaps = [], []
    with HeadlessMujocoRenderer(model, 640, 480, quality="high") as renderer:
        if view is not None:
            renderer.aim(view)
        for step in steps:
            ours, theirs = renderer.render(each[step]), staged.picture(step)
            assert ours.std() > 5
            decibels.append(psnr(ours, theirs))
            mine, own = movers_of(renderer), staged.movers(model)
            overlaps.append(float((mine & own).sum() / max((mine | own).sum(), 1)))
    return decibels, overlaps
