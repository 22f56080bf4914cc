from .limits import INSIDE as INSIDE
from .limits import check_mjcf as check_mjcf
