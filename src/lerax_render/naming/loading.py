"""Environments and policies named by text, as the command line and gallery manifests name them."""

import difflib
import importlib
import inspect
import io
import os
import pkgutil
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from ..errors import BackendUnavailableError
from ..settings import check_env
from ..sources import without_log
from ..system import start_jax
from .borrowed_mjcf import made_with_gymnasiums
from .modules import ModuleMissing, failure, module_in, module_named, search_current_folder

FORMS = (
    "a Lerax class name (CartPole, Humanoid, ...), module:attribute, path/to/file.py:attribute, "
    "gym:ID, gymnax:ID, a model's file (*.xml, *.mjcf, *.urdf, *.mjb), or a replay's (*.replay)"
)

_MODELS = (".xml", ".mjcf", ".urdf", ".mjb")


def load_env(
    spec: str, arguments: Mapping[str, Any] | None = None, *, untrusted: bool = False
) -> Any:
    """Return the environment that a text names.

    Args:
        spec: One of `FORMS`. An attribute may be a class, a function that returns an environment,
            or an environment.
        arguments: For the constructor, the function, `gymnasium.make`, `gymnax.make` or
            `Simulation`.

    Raises:
        ValueError: There is nothing of that name, or it does not take these arguments.
        BackendUnavailableError: It needs a package that is not installed, or JAX does not start.
    """
    arguments = dict(arguments or {})
    if is_replay(spec):
        if arguments:
            raise ValueError(
                f"{spec} has been acted out already, and takes no arguments, got {arguments}"
            )
        from ..replay import Replay

        # From whomever: it is read as if from a stranger in any case.
        return Replay.load(spec)
    if is_model(spec):
        return _simulation(spec, arguments, untrusted)
    if untrusted:
        raise ValueError(
            f"only a model's file (*.xml, *.mjcf, *.urdf) can be untrusted: {spec} is code, "
            "which runs with your rights; if you trust it, leave out --untrusted, or write "
            "untrusted = false"
        )
    if spec.startswith("gym:"):
        return _gym(spec.removeprefix("gym:"), arguments)
    # Before a module computes while it is imported, and fails with JAX's own traceback.
    start_jax()
    if spec.startswith("gymnax:"):
        return _gymnax(spec.removeprefix("gymnax:"), arguments)
    if ":" in spec:
        return _made(spec, _attribute(spec), arguments)
    return _lerax_env(spec, arguments)


def given_env(verb: str, env: Any) -> Any:
    """Return the environment that was given to a function, itself or by its name.

    Args:
        verb: The function, as it is called in messages.
        env: The environment, or one of `FORMS`.

    Raises:
        TypeError: It is a class, a function or None.
        ValueError, BackendUnavailableError: As for `load_env`.
    """
    if isinstance(env, str | os.PathLike):
        return load_env(os.fspath(env))
    check_env(verb, env)
    return env


def load_policy(
    source: str | Path | bytes,
    class_spec: str,
    env: Any,
    arguments: Mapping[str, Any] | None = None,
) -> Any:
    """Return the policy in an `.eqx` file, as `policy.serialize(path)` wrote it.

    Files of Lerax 0.0.5 and of its main branch are read with either.

    Args:
        source: The file, or its bytes. It holds numbers only and is never unpickled.
        class_spec: The policy's class: a name in `lerax.policy`, `module:Class` or
            `path/to/file.py:Class`.
        env: The environment that the policy was made for.
        arguments: Further arguments of the class, such as layer sizes, as they were in training.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: There is no such class, or the file does not hold this policy's parameters.
    """
    import equinox as eqx
    import jax

    from ..sources import in_lerax
    from .policy_file import read_policy

    env = in_lerax(env)
    if ":" in class_spec:
        policy_class = _attribute(class_spec)
    else:
        policies = importlib.import_module("lerax.policy")
        policy_class = getattr(policies, class_spec, None)
        if policy_class is None:
            raise ValueError(_unknown("policy class", class_spec, dir(policies)))
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise FileNotFoundError(f"no policy file {source}")
    make = partial(policy_class, env, key=jax.random.key(0))

    env_name = type(env.unwrapped).__name__

    def structure_of(**options: Any) -> Any:
        try:
            return eqx.filter_eval_shape(make, **options)
        except Exception as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"{class_spec} cannot be made for {env_name}: {reason}") from error

    structure_of.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
    structure = _made(class_spec, structure_of, dict(arguments or {}))
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
            return read_policy(file, structure)
    except ValueError as error:
        name = f"a file of {len(source)} bytes" if isinstance(source, bytes) else source
        options = ", ".join(f"{key}={value!r}" for key, value in (arguments or {}).items())
        raise ValueError(
            f"{name} does not hold the parameters of a {class_spec}({options}) for "
            f"{env_name}: {error}. Give the environment, class and arguments that it was trained "
            "with"
        ) from error


def is_model(spec: str) -> bool:
    """Return whether a text names a model's file, which MuJoCo alone steps."""
    return spec.lower().endswith(_MODELS)


def is_replay(spec: str) -> bool:
    """Return whether a text names a replay's file, in which somebody has acted already."""
    return spec.lower().endswith(".replay")


def file_in(spec: str) -> str | None:
    """Return the path in what names an environment or a class; `None` where there is none."""
    if is_model(spec) or is_replay(spec):
        return spec
    where = spec.rpartition(":")[0]
    return where if where.endswith(".py") else None


def stem(spec: str) -> str:
    """Return a file's name, without suffix, for a clip of an environment that nobody named."""
    name = Path(spec).stem if is_model(spec) or is_replay(spec) else spec.rpartition(":")[2]
    return re.sub(r"[^A-Za-z0-9_-]", "_", name).lstrip("_-")[:100] or "clip"


def lerax_env_classes() -> dict[str, type]:
    """Return the concrete environment classes of the installed Lerax, wherever it keeps them."""
    return _lerax_envs()[0]


def _lerax_envs() -> tuple[dict[str, type], list[str]]:
    """Return Lerax's environment classes, and why modules that may have more do not run."""
    package = importlib.import_module("lerax.env")
    base: type = package.AbstractEnvLike
    inner = pkgutil.walk_packages(package.__path__, "lerax.env.", onerror=lambda _: None)
    found: dict[str, type] = {}
    failures: list[str] = []
    for name in [package.__name__, *(info.name for info in inner)]:
        try:
            module = module_named(name)
        except ValueError as error:
            # It may need a package that is not installed, such as MuJoCo.
            failures.append(str(error))
            continue
        for attribute, value in vars(module).items():
            if (
                isinstance(value, type)
                and issubclass(value, base)
                and not inspect.isabstract(value)
                and not attribute.startswith(("_", "Abstract"))
            ):
                found.setdefault(attribute, value)
    return found, failures


def _lerax_env(name: str, arguments: dict[str, Any]) -> Any:
    found = _lerax_class(name)
    try:
        return _made(name, found, arguments)
    except FileNotFoundError:
        if "xml_file" in arguments or "xml_file" not in inspect.signature(found).parameters:
            raise
    with without_log():
        return made_with_gymnasiums(found, arguments)


def _lerax_class(name: str) -> type:
    package = importlib.import_module("lerax.env")
    if name in package.__all__ and not inspect.isabstract(getattr(package, name)):
        # Without a look at the others, which would import MuJoCo.
        found: type = getattr(package, name)
        return found
    classes, failures = _lerax_envs()
    if name not in classes:
        unknown = "; ".join([_unknown("environment", name, classes), *failures])
        raise ValueError(f"{unknown}. Accepted are {FORMS}")
    return classes[name]


def _attribute(spec: str) -> Any:
    where, _, name = spec.rpartition(":")
    try:
        if where.endswith(".py"):
            module = module_in(where)
        else:
            search_current_folder()
            module = module_named(where)
    except ModuleMissing as error:
        raise ValueError(f"{error}. Accepted are {FORMS}") from error
    value: Any = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError as error:
            raise ValueError(_unknown("attribute", name, vars(module), f" in {where}")) from error
        except ImportError as error:
            # A module may import what it is asked for only then.
            raise ValueError(failure(f"loading {name} from {where}", error)) from error
    return value


def _made(spec: str, maker: Any, arguments: dict[str, Any]) -> Any:
    if not (isinstance(maker, type) or inspect.isroutine(maker)):
        if arguments:
            raise ValueError(f"{spec} is an instance and takes no arguments, got {arguments}")
        return maker
    try:
        inspect.signature(maker).bind(**arguments)
    except TypeError as error:
        raise ValueError(
            f"{spec} does not take these arguments: {error}. "
            f"It is {spec.rpartition(':')[2]}{inspect.signature(maker)}"
        ) from error
    try:
        with without_log():
            return maker(**arguments)
    except NotImplementedError as error:
        raise ValueError(
            f"{spec} cannot be made: {error}. If that names a part of an MJCF, MJX does not have "
            'it; take another, such as solver="Newton" instead of PGS'
        ) from error


def _simulation(path: str, arguments: dict[str, Any], untrusted: bool) -> Any:
    from ..mujoco import INSIDE
    from ..sources import Simulation

    def simulation(controls: Any = "sampled", frame_skip: Any = None, assets: Any = None) -> Any:
        where = INSIDE if untrusted and assets is None else assets
        return Simulation(path, controls, frame_skip, where)

    return _made(path, simulation, arguments)


def _gym(name: str, arguments: dict[str, Any]) -> Any:
    (gymnasium,) = _extra("gym", "gymnasium")
    if ":" in name:
        search_current_folder()
    what = f"gymnasium.make({name!r})"
    # What its checker warns of concerns the environment's author.
    options = {"disable_env_checker": True, **arguments}
    try:
        # Of an old version it warns, too, before it fails.
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
        # Of the module that registers it, as in gym:module:ID, or that has its class.
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
    """Import the class of an environment, and with it MuJoCo where it needs that."""
    # What there is to say of a name or a module that is wrong is said when it is made.
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


def _gymnax(name: str, arguments: dict[str, Any]) -> Any:
    gymnax, lerax = _extra("gymnax", "gymnax", "lerax.compatibility.gymnax")
    if name not in gymnax.registered_envs:
        raise ValueError(_unknown("Gymnax environment", name, gymnax.registered_envs))
    make = gymnax.make if arguments else _made_once
    env, params = make(name, **arguments)
    return lerax.GymnaxToLeraxEnv(env, params)


@cache
def _made_once(name: str) -> tuple[Any, Any]:
    # It has no state, and for JAX equals nothing but itself: else each clip would be compiled anew.
    env, params = importlib.import_module("gymnax").make(name)
    return env, params


def _extra(extra: str, *names: str) -> list[Any]:
    """Import modules that need not be installed."""
    try:
        return [module_named(name) for name in names]
    except ValueError as error:
        raise _missing(extra, error) from error


def _missing(extra: str, error: Exception) -> BackendUnavailableError:
    return BackendUnavailableError(
        f"{error}. What it needs is installed by: pip install 'lerax-render[{extra}]'"
    )


def _unknown(kind: str, name: str, known: Any, where: str = "") -> str:
    names = sorted(n for n in known if not n.startswith("_"))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"no {kind} named {name!r}{where}: {hint}there are {', '.join(names)}"
