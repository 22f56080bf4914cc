from .base import Painter as Painter
from .base import Source as Source
from .kinds import find_source as find_source
from .simulation import MujocoScene as MujocoScene
