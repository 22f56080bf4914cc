"""Environments and policies named by text, as the command line and gallery manifests name them."""

import difflib
import importlib
import inspect
import io
import os
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import BackendUnavailableError
from ..jax_start import start_jax
from ..settings import check_env
from .modules import ModuleMissing, failure, module_in, module_named, search_current_folder

_LARGEST_NUMBER = 16
"""Of a policy's parameters, in bytes: a complex one of double precision."""

FORMS = (
    "a Lerax class name (CartPole, Humanoid, ...), module:attribute, path/to/file.py:attribute, "
    "gym:ID, gymnax:ID, or an MJCF file (*.xml)"
)


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
    if spec.lower().endswith(".xml"):
        return _simulation(spec, arguments, untrusted)
    if untrusted:
        raise ValueError(
            f"only an MJCF file (*.xml) can be untrusted: {spec} is code, which runs with your "
            "rights; if you trust it, leave out --untrusted, or write untrusted = false"
        )
    # Before a module computes while it is imported, and fails with JAX's own traceback.
    start_jax()
    if spec.startswith("gym:"):
        return _gym(spec.removeprefix("gym:"), arguments)
    if spec.startswith("gymnax:"):
        return _gymnax(spec.removeprefix("gymnax:"), arguments)
    if ":" in spec:
        return _made(spec, _attribute(spec), arguments)
    return _made(spec, _lerax_class(spec), arguments)


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


def _simulation(path: str, arguments: dict[str, Any], untrusted: bool) -> Any:
    from ..mujoco import INSIDE
    from ..sources import Simulation

    def simulation(controls: Any = "sampled", frame_skip: Any = None, assets: Any = None) -> Any:
        where = INSIDE if untrusted and assets is None else assets
        return Simulation(path, controls, frame_skip, where)

    return _made(path, simulation, arguments)


def _gym(name: str, arguments: dict[str, Any]) -> Any:
    gymnasium, lerax = _extra("gym", "gymnasium", "lerax.compatibility.gym")
    if ":" in name:
        search_current_folder()
    try:
        made = gymnasium.make(name, render_mode="rgb_array", **arguments)
    except gymnasium.error.DependencyNotInstalled as error:
        raise _missing("gym", error) from error
    except (gymnasium.error.Error, TypeError) as error:
        raise ValueError(f"gymnasium.make({name!r}) failed: {error}") from error
    except ImportError as error:
        # Of the module that registers it, as in gym:module:ID, or that has its class.
        raise ValueError(failure(f"gymnasium.make({name!r})", error.__cause__ or error)) from error
    return lerax.GymToLeraxEnv(made)


def _gymnax(name: str, arguments: dict[str, Any]) -> Any:
    gymnax, lerax = _extra("gymnax", "gymnax", "lerax.compatibility.gymnax")
    if name not in gymnax.registered_envs:
        raise ValueError(_unknown("Gymnax environment", name, gymnax.registered_envs))
    env, params = gymnax.make(name, **arguments)
    return lerax.GymnaxToLeraxEnv(env, params)


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
