from .mjcf_limits import INSIDE as INSIDE
from .mjcf_limits import check_mjcf as check_mjcf
from .pose import Pose as Pose
from .quality import CINEMATIC as CINEMATIC
from .quality import NAMES as NAMES
from .quality import check_name as check_name
from .renderer import HeadlessMujocoRenderer as HeadlessMujocoRenderer
from .scene import MujocoScene as MujocoScene
