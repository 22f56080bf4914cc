from .base import CompiledSource as CompiledSource
from .base import Source as Source
from .gymnasium import in_lerax as in_lerax
from .gymnasium import is_gymnasium as is_gymnasium
from .host import HostSource as HostSource
from .kinds import find_source as find_source
from .simulation import Simulation as Simulation
