from .options import ClipSettings as ClipSettings
from .options import RecordWhen as RecordWhen
from .options import VideoOptions as VideoOptions
from .recording import Attempt as Attempt
from .recording import Frame as Frame
from .recording import Snapshot as Snapshot
from .worker import VideoWorker as VideoWorker
