from .limits import INSIDE as INSIDE
from .limits import check_mjcf as check_mjcf
from .urdf import read_urdf as read_urdf
