"""Environments of Gymnasium and Gymnax, named by their IDs."""

import importlib
import re
import warnings
from contextlib import suppress
from functools import cache
from typing import Any

from ..errors import BackendUnavailableError
from ..sources import without_log
from .modules import failure, module_named, search_current_folder, unknown


def make_gym(name: str, arguments: dict[str, Any]) -> Any:
    """Return an environment of Gymnasium's, or of a package that registers it there.

    Args:
        name: `ID`, or `PACKAGE:ID`.
        arguments: For `gymnasium.make`.

    Raises:
        ValueError: There is none of that name, or it cannot be made with these arguments.
        BackendUnavailableError: It needs a package that is not installed.
    """
    (gymnasium,) = _extra("gym", "gymnasium")
    if ":" in name:
        search_current_folder()
    what = f"gymnasium.make({name!r})"
    # The warnings of its checker are for the environment's author.
    options = {"disable_env_checker": True, **arguments}
    try:
        # It also warns of an old version, before it fails.
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            _import_class(gymnasium, name)
            with without_log():
                env = gymnasium.make(name, render_mode="rgb_array", **options)
    except gymnasium.error.DependencyNotInstalled as error:
        # Gymnasium's own extra would put pygame-ce on top of pygame.
        said = "Box2D is missing: pip install box2d" if "Box2D" in str(error) else str(error)
        raise BackendUnavailableError(f"{what} failed: {said}") from error
    except gymnasium.error.UnregisteredEnv as error:
        hint = "" if ":" in name or ("/" not in name and _newest(gymnasium, name)) else _ELSEWHERE
        raise ValueError(f"{what} failed: {error}{hint}") from error
    except (gymnasium.error.Error, TypeError) as error:
        raise ValueError(f"{what} failed: {error}") from error
    except OSError:
        raise
    except Exception as error:
        # From the module that registers it, as in gym:module:ID, or that has its class.
        cause = (error.__cause__ if isinstance(error, ImportError) else None) or error
        module = name.rpartition(":")[0]
        if module and isinstance(cause, ModuleNotFoundError) and cause.name == module:
            raise ValueError(
                f"{what} failed: no module named {module!r}; install the package that has it"
            ) from error
        newest = _newest(gymnasium, name)
        hint = "" if newest is None or name.endswith(newest) else f". There is gym:{newest}"
        # MuJoCo reads it while it is imported.
        if "MUJOCO_GL" in str(cause):
            from ..mujoco import gl

            hint = f"; {gl.VARIABLE_REMEDY}"
        raise ValueError(failure(what, cause).rstrip(".") + hint) from error
    for warning in warned:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return env


def _import_class(gymnasium: Any, name: str) -> None:
    """Import the class of an environment, and with it MuJoCo if it needs that."""
    # A wrong name or module is reported when the environment is made.
    with suppress(Exception):
        module, _, own = name.rpartition(":")
        if module:
            importlib.import_module(module)
        spec = gymnasium.registry.get(own) or gymnasium.registry[_newest(gymnasium, name)]
        if isinstance(spec.entry_point, str):
            gymnasium.envs.registration.load_env_creator(spec.entry_point)


_ELSEWHERE = (
    " Environments of other packages are named gym:package:ID, with the package that registers "
    "them, such as gym:ale_py:ALE/Pong-v5"
)


def in_gymnasium(name: str) -> str | None:
    """Return what to write for an environment of Gymnasium's that was named without `gym:`."""
    try:
        gymnasium = module_named("gymnasium")
        found = name if name in gymnasium.registry else _newest(gymnasium, name)
    except Exception:
        # It is not installed, or does not allow such a name.
        found = name if re.search(r"\w-v\d+$", name) else None
    return found and f"gym:{found}"


def _newest(gymnasium: Any, name: str) -> str | None:
    """Return the newest version of an environment, or `None` where there is none at all."""
    namespace, base, _ = gymnasium.envs.registration.parse_env_id(name.rpartition(":")[2])
    versions = [
        spec
        for spec in gymnasium.registry.values()
        if (spec.namespace, spec.name) == (namespace, base)
    ]
    newest = max(versions, key=lambda spec: spec.version or 0, default=None)
    return None if newest is None else str(newest.id)


def make_gymnax(name: str, arguments: dict[str, Any]) -> Any:
    """Return an environment of Gymnax's as one of Lerax's.

    Args:
        name: Its ID.
        arguments: For `gymnax.make`.

    Raises:
        ValueError: There is none of that name.
        BackendUnavailableError: Gymnax is not installed.
    """
    gymnax, lerax = _extra("gymnax", "gymnax", "lerax.compatibility.gymnax")
    if name not in gymnax.registered_envs:
        raise ValueError(unknown("Gymnax environment", name, gymnax.registered_envs))
    make = gymnax.make if arguments else _made_once
    env, params = make(name, **arguments)
    return lerax.GymnaxToLeraxEnv(env, params)


@cache
def _made_once(name: str) -> tuple[Any, Any]:
    # It has no state, and JAX compares it by identity: each new one would be compiled again.
    env, params = importlib.import_module("gymnax").make(name)
    return env, params


def _extra(extra: str, *names: str) -> list[Any]:
    """Import modules that may not be installed."""
    try:
        return [module_named(name) for name in names]
    except ValueError as error:
        raise BackendUnavailableError(
            f"{error}. Install what it needs with: pip install 'lerax-render[{extra}]'"
        ) from error
