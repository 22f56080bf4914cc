"""MuJoCo states painted by its Filament renderer: physically based, through Vulkan."""

import importlib.util
import os
import subprocess
import sys
import time
import weakref
from multiprocessing.connection import Connection, Pipe
from typing import Any, Self

import mujoco
import numpy as np

from .camera import CameraLike, CameraRig
from .errors import BackendUnavailableError
from .pose import Pose, PoseLoader, State

# The first frame takes ten seconds where shaders are compiled for a processor, once a machine.
_STALL_SECONDS = 180.0
_LAST_LINES = 4
_REMEDY = "it needs Vulkan, which a processor alone can do: apt-get install mesa-vulkan-drivers"

# Of `mujoco.MjvGLCamera`, under the names of `mujoco.mjrf.Camera`.
_CAMERA_VECTORS = ("pos", "forward", "up")
_CAMERA_NUMBERS = (
    "frustum_center",
    "frustum_width",
    "frustum_bottom",
    "frustum_top",
    "frustum_near",
    "frustum_far",
)


class FilamentRenderer:
    """Paints states of one model as `HeadlessMujocoRenderer` does, more beautifully and slowly.

    A process of its own draws (see `filament_process` for why).

    Args:
        model: The model.
        width: In pixels.
        height: In pixels.
        camera: As for `HeadlessMujocoRenderer`.

    Raises:
        ValueError, TypeError: The camera is none of the model's, or of no accepted type.
        BackendUnavailableError: There is no Vulkan here, or MuJoCo is older than 4.
    """

    def __init__(
        self, model: mujoco.MjModel, width: int, height: int, *, camera: CameraLike = None
    ) -> None:
        options = mujoco.MjvOption()
        self._model = model
        self._loader = PoseLoader(model, options)
        self._rig = CameraRig(model, camera, width / height, options.geomgroup)
        self._shape = (height, width, 3)
        if importlib.util.find_spec("mujoco.mjrf") is None:
            raise BackendUnavailableError(
                "quality='cinematic' needs MuJoCo's Filament renderer, which MuJoCo "
                f"{mujoco.__version__} does not have: pip install 'mujoco>=4'"
            )
        self._connection, theirs = Pipe()
        self._log = os.memfd_create("filament-log")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.filament_process", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                # Ctrl-C at the terminal reaches this program alone, which then ends the process.
                process_group=0,
            )
        self._release = weakref.finalize(
            self, _end, self._process, self._connection, self._log, os.getpid()
        )
        try:
            self._ask((model, width, height))
            self._connection.recv()
        except BaseException as error:
            reason = self._reason()
            self.close()
            if isinstance(error, EOFError | OSError):
                raise BackendUnavailableError(
                    f"MuJoCo's Filament renderer does not start ({reason}); {_REMEDY}"
                ) from error
            raise

    def render(self, state: State) -> np.ndarray:
        """Paint one state; one that is NaN or infinite is painted as the last that was not.

        Args:
            state: As for `HeadlessMujocoRenderer.render`.

        Returns:
            RGB, `uint8 (H, W, 3)`, row 0 on top, an array of its own.

        Raises:
            RuntimeError: The renderer is closed.
            TypeError, ValueError: As for `HeadlessMujocoRenderer.render`.
            BackendUnavailableError: The process that draws has ended or stalled.
        """
        if not self._release.alive:
            raise RuntimeError("this renderer is closed; make a new one")
        self._loader.load(state)
        data = self._loader.data
        camera = mujoco.mjv_camera2GLCamera(self._model, data, self._rig.at(data))
        seen: dict[str, Any] = {name: np.array(getattr(camera, name)) for name in _CAMERA_VECTORS}
        seen |= {name: float(getattr(camera, name)) for name in _CAMERA_NUMBERS}
        seen["orthographic"] = bool(camera.orthographic)
        frame = np.empty(self._shape, np.uint8)
        try:
            self._ask((Pose.of(data), seen))
            self._connection.recv_bytes_into(frame.reshape(-1))
        except (EOFError, OSError) as error:
            reason = self._reason()
            self.close()
            raise BackendUnavailableError(
                f"MuJoCo's Filament renderer ended while it drew ({reason}); {_REMEDY}"
            ) from error
        return frame

    def close(self) -> None:
        """End the process. May be called twice."""
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _ask(self, message: Any) -> None:
        """Send a message and wait until there is an answer, or an end."""
        self._connection.send(message)
        since = time.monotonic()
        while not self._connection.poll(1.0):
            if time.monotonic() - since > _STALL_SECONDS:
                self._process.kill()

    def _reason(self) -> str:
        """The last words of the process."""
        self._process.kill()
        self._process.wait()
        log = os.pread(self._log, os.fstat(self._log).st_size, 0).decode(errors="replace")
        lines = [line.strip() for line in log.splitlines() if line.strip()]
        return "; ".join(lines[-_LAST_LINES:]) or f"it said nothing for {_STALL_SECONDS:g} s"


def _end(process: subprocess.Popen[bytes], connection: Connection, log: int, pid: int) -> None:
    if os.getpid() != pid:
        return  # a forked child owns neither
    process.kill()
    process.wait()
    connection.close()
    os.close(log)
