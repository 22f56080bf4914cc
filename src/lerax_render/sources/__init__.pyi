from .base import CompiledSource as CompiledSource
from .base import HostSource as HostSource
from .base import Source as Source
from .kinds import find_source as find_source
from .simulation import Simulation as Simulation
