"""Environments and policies named by text, as the command line and gallery manifests name them."""

import difflib
import importlib
import importlib.util
import inspect
import io
import pkgutil
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from ..errors import BackendUnavailableError

_LARGEST_NUMBER = 16
"""Of a policy's parameters, in bytes: a complex one of double precision."""

FORMS = (
    "a Lerax class name (CartPole, Humanoid, ...), module:attribute, path/to/file.py:attribute, "
    "gym:ID, gymnax:ID, or an MJCF file (*.xml)"
)


def load_env(spec: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """Return the environment that a text names.

    Args:
        spec: One of `FORMS`. An attribute may be a class, a function that returns an environment,
            or an environment.
        arguments: For the constructor, the function, `gymnasium.make`, `gymnax.make` or
            `MujocoScene`.

    Raises:
        ValueError: There is nothing of that name, or it does not take these arguments.
        BackendUnavailableError: It needs a package that is not installed.
    """
    arguments = dict(arguments or {})
    if spec.startswith("gym:"):
        return _gym(spec.removeprefix("gym:"), arguments)
    if spec.startswith("gymnax:"):
        return _gymnax(spec.removeprefix("gymnax:"), arguments)
    if spec.lower().endswith(".xml"):
        return _scene(spec, arguments)
    if ":" in spec:
        return _made(spec, _attribute(spec), arguments)
    return _made(spec, _lerax_class(spec), arguments)


def load_policy(
    source: str | Path | bytes,
    class_spec: str,
    env: Any,
    arguments: Mapping[str, Any] | None = None,
) -> Any:
    """Return the policy in an `.eqx` file, as `policy.serialize(path)` wrote it.

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

    if ":" in class_spec:
        policy_class = _attribute(class_spec)
    else:
        policies = importlib.import_module("lerax.policy")
        policy_class = getattr(policies, class_spec, None)
        if policy_class is None:
            raise ValueError(_unknown("policy class", class_spec, dir(policies)))
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise FileNotFoundError(f"no policy file {source}")
    structure = _made(
        class_spec,
        lambda **options: eqx.filter_eval_shape(
            policy_class, env, key=jax.random.key(0), **options
        ),
        dict(arguments or {}),
    )
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
            policy = eqx.tree_deserialise_leaves(file, structure, _checked_leaf)
            if file.read(1):
                raise ValueError("there is more in the file than this policy has parameters")
            return policy
    except Exception as error:
        name = f"a file of {len(source)} bytes" if isinstance(source, bytes) else source
        raise ValueError(
            f"{name} does not hold the parameters of a {class_spec} for this environment "
            f"({type(error).__name__}: {error}). Give the environment, class and arguments that "
            "it was trained with"
        ) from error


def file_in(spec: str) -> str | None:
    """Return the path in what names an environment or a class; `None` where there is none."""
    if spec.lower().endswith(".xml"):
        return spec
    where = spec.rpartition(":")[0]
    return where if where.endswith(".py") else None


def stem(spec: str) -> str:
    """Return a file's name, without suffix, for a clip of an environment that nobody named."""
    name = Path(spec).stem if spec.lower().endswith(".xml") else spec.rpartition(":")[2]
    return re.sub(r"[^A-Za-z0-9_-]", "_", name).lstrip("_-")[:100] or "clip"


def lerax_env_classes() -> dict[str, type]:
    """Return the concrete environment classes of the installed Lerax, wherever it keeps them."""
    package = importlib.import_module("lerax.env")
    base: type = package.AbstractEnvLike
    found: dict[str, type] = {}
    modules = [package.__name__] + [
        info.name
        for info in pkgutil.walk_packages(package.__path__, "lerax.env.", onerror=lambda _: None)
    ]
    for name in modules:
        try:
            module = importlib.import_module(name)
        except ImportError:
            # An optional dependency of Lerax, such as MuJoCo for lerax.env.mujoco.
            continue
        for attribute, value in vars(module).items():
            if (
                isinstance(value, type)
                and issubclass(value, base)
                and not inspect.isabstract(value)
            ):
                found.setdefault(attribute, value)
    return {name: value for name, value in found.items() if not name.startswith(("_", "Abstract"))}


def _lerax_class(name: str) -> type:
    package = importlib.import_module("lerax.env")
    if name in package.__all__ and not inspect.isabstract(getattr(package, name)):
        # Without a look at the others, which would import MuJoCo.
        found: type = getattr(package, name)
        return found
    classes = lerax_env_classes()
    if name not in classes:
        raise ValueError(_unknown("environment", name, classes) + f". Accepted are {FORMS}")
    return classes[name]


def _attribute(spec: str) -> Any:
    where, _, name = spec.rpartition(":")
    module = _module_from_file(Path(where)) if where.endswith(".py") else _module(where)
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            raise ValueError(_unknown("attribute", name, vars(module), f" in {where}"))
        value = getattr(value, part)
    return value


def _module(name: str) -> ModuleType:
    # As `python -m` does: what lies in the current folder can be named.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and not name.startswith(error.name):
            raise
        raise ValueError(f"no module named {name!r}. Accepted are {FORMS}") from error


def _module_from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ValueError(f"no file {path}")
    name = f"_lerax_render_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and equinox look their module up while it is being executed.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"running {path} failed: {type(error).__name__}: {error}") from error
    return module


def _checked_leaf(file: BinaryIO, like: Any) -> Any:
    """Read one leaf of a policy, whose header is that of an array like the one expected.

    `np.load` alone would also take an archive, and memory for whatever size a header claims.
    """
    import equinox as eqx
    import numpy as np

    if eqx.is_array_like(like) or hasattr(like, "dtype"):
        start = file.tell()
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            version, np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
        if shape != np.shape(like) or dtype.hasobject or dtype.itemsize > _LARGEST_NUMBER:
            raise ValueError(f"{dtype} {shape} in place of {np.shape(like)}")
        file.seek(start)
    return eqx.default_deserialise_filter_spec(file, like)


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
            f"It is {getattr(maker, '__name__', spec)}{inspect.signature(maker)}"
        ) from error
    try:
        return maker(**arguments)
    except NotImplementedError as error:
        raise ValueError(
            f"{spec} cannot be made: {error}. If that names a part of an MJCF, MJX does not have "
            'it; take another, such as solver="Newton" instead of PGS'
        ) from error


def _scene(path: str, arguments: dict[str, Any]) -> Any:
    from ..sources import Simulation

    def scene(controls: Any = "sampled", frame_skip: Any = None, assets: Any = "inside") -> Any:
        return Simulation(path, controls, frame_skip, assets)

    return _made(path, scene, arguments)


def _gym(name: str, arguments: dict[str, Any]) -> Any:
    try:
        import gymnasium
        from lerax.compatibility.gym import GymToLeraxEnv
    except ImportError as error:
        raise _missing("gym", error) from error
    try:
        return GymToLeraxEnv(gymnasium.make(name, render_mode="rgb_array", **arguments))
    except gymnasium.error.DependencyNotInstalled as error:
        raise _missing("gym", error) from error
    except (gymnasium.error.Error, TypeError) as error:
        raise ValueError(f"gymnasium.make({name!r}) failed: {error}") from error


def _gymnax(name: str, arguments: dict[str, Any]) -> Any:
    try:
        import gymnax
        from lerax.compatibility.gymnax import GymnaxToLeraxEnv
    except ImportError as error:
        raise _missing("gymnax", error) from error
    if name not in gymnax.registered_envs:
        raise ValueError(_unknown("Gymnax environment", name, gymnax.registered_envs))
    env, params = gymnax.make(name, **arguments)
    return GymnaxToLeraxEnv(env, params)


def _missing(extra: str, error: Exception) -> BackendUnavailableError:
    return BackendUnavailableError(f"{error}. Install it with: pip install 'lerax-render[{extra}]'")


def _unknown(kind: str, name: str, known: Any, where: str = "") -> str:
    names = sorted(n for n in known if not n.startswith("_"))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"no {kind} named {name!r}{where}: {hint}there are {', '.join(names)}"
