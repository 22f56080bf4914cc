from .episode_stats import EpisodeStats as EpisodeStats
from .hparams import flattened as flattened
from .hparams import plain as plain
from .hparams import settings as settings
from .packets import Layout as Layout
from .packets import Outbox as Outbox
from .packets import Report as Report
from .packets import Skeleton as Skeleton
