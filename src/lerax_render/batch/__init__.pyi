from .clip import Clip as Clip
from .clip import idle_with_replay as idle_with_replay
from .executors import WorkerProcesses as WorkerProcesses
from .executors import dask_cluster as dask_cluster
from .jobs import Job as Job
from .jobs import Outcome as Outcome
from .jobs import Progress as Progress
from .jobs import render_clips as render_clips
