from .blob import Blob as Blob
from .page import make_page as make_page
