from .options import EvalOptions as EvalOptions
from .options import RecordWhen as RecordWhen
from .options import VideoOptions as VideoOptions
from .recorder import Recorder as Recorder
from .recorder import warn_unless_drawable as warn_unless_drawable
from .template import Snapshot as Snapshot
from .template import Template as Template
from .worker import VideoWorker as VideoWorker
