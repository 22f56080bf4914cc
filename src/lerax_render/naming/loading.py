"""Environments and policies named by text, as the command line and gallery manifests name them."""

import importlib
import inspect
import io
import os
import pkgutil
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..settings import check_env
from ..sources import without_log
from ..system import start_jax
from .borrowed_mjcf import made_with_gymnasiums
from .gymnasiums import in_gymnasium, make_gym, make_gymnax
from .modules import (
    ModuleMissing,
    failure,
    module_in,
    module_named,
    search_current_folder,
    unknown,
)

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
        return make_gym(spec.removeprefix("gym:"), arguments)
    if spec.endswith(".py"):
        raise ValueError(
            f"{spec!r} is a Python file: name the environment in it, too, as in {spec}:MyEnv"
        )
    # Before a module computes while it is imported, and fails with JAX's own traceback.
    start_jax()
    if spec.startswith("gymnax:"):
        return make_gymnax(spec.removeprefix("gymnax:"), arguments)
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
            classes = [
                name
                for name, value in vars(policies).items()
                if isinstance(value, type) and not name.startswith("Abstract")
            ]
            raise ValueError(unknown("policy class", class_spec, classes))
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

    signature = inspect.signature(make)
    settable = [each for each in signature.parameters.values() if each.name != "key"]
    structure_of.__signature__ = signature.replace(parameters=settable)  # type: ignore[attr-defined]
    structure = _made(class_spec, structure_of, dict(arguments or {}))
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
            return read_policy(file, structure)
    except ValueError as error:
        name = f"a file of {len(source)} bytes" if isinstance(source, bytes) else source
        options = ", ".join(f"{key}={value!r}" for key, value in (arguments or {}).items())
        raise ValueError(
            f"{name} does not hold the parameters of {class_spec}({options}) for {env_name}: "
            f"{error}. Give the environment, class and arguments that it was trained with"
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
        said = unknown("environment", name, classes, meant=in_gymnasium(name))
        raise ValueError(f"{'; '.join([said, *failures])}. Accepted are {FORMS}")
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
            raise ValueError(unknown("attribute", name, _own(module), f" in {where}")) from error
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
            f"It is {spec.rpartition(':')[2]}{_without_types(inspect.signature(maker))}"
        ) from error
    try:
        with without_log():
            return maker(**arguments)
    except NotImplementedError as error:
        raise ValueError(
            f"{spec} cannot be made: {error}. If that names a part of an MJCF, MJX does not have "
            'it; take another, such as solver="Newton" instead of PGS'
        ) from error


def _own(module: Any) -> list[str]:
    """Return the names in a module, without those it imports from other packages."""

    def is_own(value: Any) -> bool:
        made_in = str(getattr(value, "__module__", None) or "")
        return not callable(value) or made_in.split(".")[0] == module.__name__.split(".")[0]

    names = [name for name, value in vars(module).items() if not inspect.ismodule(value)]
    return [name for name in names if is_own(vars(module)[name])] or names


def _without_types(signature: inspect.Signature) -> inspect.Signature:
    """Return a signature without annotations, since jaxtyping's are long."""
    plain = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    return signature.replace(parameters=plain, return_annotation=signature.empty)


def _simulation(path: str, arguments: dict[str, Any], untrusted: bool) -> Any:
    from ..mujoco import INSIDE
    from ..sources import Simulation

    def simulation(controls: Any = "sampled", frame_skip: Any = None, assets: Any = None) -> Any:
        where = INSIDE if untrusted and assets is None else assets
        return Simulation(path, controls, frame_skip, where)

    return _made(path, simulation, arguments)
