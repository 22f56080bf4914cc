"""Gymnasium's models for those of Lerax's environments whose MJCF file is not in its wheel."""

import importlib.util
import inspect
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BackendUnavailableError


def made_with_gymnasiums(make: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Make an environment that reads a file when it is made, and that has found none.

    Args:
        make: The environment's class, whose default `xml_file` is missing.
        arguments: Its others.

    Raises:
        BackendUnavailableError: Gymnasium is not installed.
        FileNotFoundError: It has no such file either.
    """
    name = inspect.signature(make).parameters["xml_file"].default
    gymnasium = importlib.util.find_spec("gymnasium")
    if gymnasium is None or gymnasium.origin is None:
        raise BackendUnavailableError(
            f"this Lerax comes without {name}, and Gymnasium, whose file serves as well, is not "
            "installed: pip install 'lerax-render[gym]', or give xml_file"
        )
    model = (Path(gymnasium.origin).parent / "envs/mujoco/assets" / name).read_text()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        # MJX has no PGS.
        path.write_text(model.replace('solver="PGS"', 'solver="Newton"'))
        return make(**arguments, xml_file=str(path))
