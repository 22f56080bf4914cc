from .base import TOTAL_TIMESTEPS as TOTAL_TIMESTEPS
from .base import AbstractLoggingBackend as AbstractLoggingBackend
from .base import HParam as HParam
from .base import require_video_format as require_video_format
from .console import ConsoleBackend as ConsoleBackend
from .fan_out import FanOut as FanOut
from .tensorboard import TensorBoardBackend as TensorBoardBackend
from .wandb import WandbBackend as WandbBackend
