from .composition import Composition as Composition
from .grid import Grid as Grid
from .grid import write_label as write_label
from .overlay import LINES as LINES
from .overlay import Line as Line
from .overlay import check_answers as check_answers
from .text import text_mask as text_mask
from .words import Timed as Timed
