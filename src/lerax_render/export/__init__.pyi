from .arrays import ArraysWriter as ArraysWriter
from .replay_file import Description as Description
from .replay_file import check_scenes as check_scenes
from .replay_file import describe as describe
from .replay_file import keep_replays as keep_replays
from .replay_file import load_replays as load_replays
from .replay_file import write_replays as write_replays
