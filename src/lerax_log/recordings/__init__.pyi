from .options import RecordWhen as RecordWhen
from .options import VideoOptions as VideoOptions
from .recorder import Recorder as Recorder
from .template import Snapshot as Snapshot
from .template import Template as Template
from .wishes import check_traced_wish as check_traced_wish
from .wishes import check_wish as check_wish
from .worker import VideoWorker as VideoWorker
