"""Whether what is asked for can be recorded, as far as that shows before a training."""

from dataclasses import replace
from typing import Any

import jax

from lerax_render.errors import is_for_users, warn
from lerax_render.settings import Settings
from lerax_render.sources import CompiledSource, find_source


def check_wish(env: Any, clip: Settings) -> None:
    """Raise where a picture was asked for that this environment has not; warn if it has none.

    Raises:
        ValueError, TypeError: The model has no such camera or body, or a 2D environment was asked
            for one.
    """
    try:
        _check(env, clip)
    except Exception as error:
        if _is_wrong(error):
            raise
        warn(f"there will be no videos: {type(error).__name__}: {error}")


def check_traced_wish(env: Any, clip: Settings) -> None:
    """Do the same for an environment whose arrays are traced; what else there is shows later.

    Raises:
        ValueError, TypeError: As for `check_wish`.
    """
    try:
        with jax.ensure_compile_time_eval():
            source = find_source(env)
    except Exception:
        return
    try:
        with jax.ensure_compile_time_eval():
            _check(env, clip)
    except Exception as error:
        if _is_wrong(error):
            raise
        # A 2D scene needs the values of arrays, which there are none of.
        inner = getattr(env, "unwrapped", env)
        if isinstance(source, CompiledSource) and not hasattr(inner, "mujoco_model"):
            clip.check_not_mujoco("this environment")


def _check(env: Any, clip: Settings) -> None:
    # What it costs to draw makes no difference, and a process for cinematic pictures takes seconds.
    quick = replace(clip, quality="draft")
    find_source(env).scene(env).painter(quick).close()


def _is_wrong(error: Exception) -> bool:
    return isinstance(error, ValueError | TypeError) and is_for_users(error)
