from .quality import CINEMATIC as CINEMATIC
from .quality import NAMES as NAMES
from .quality import QUALITIES as QUALITIES
from .quality import adapt as adapt
from .quality import check_name as check_name
from .quality import choose as choose
from .shadows import Shadows as Shadows
from .showing import drawn_as as drawn_as
