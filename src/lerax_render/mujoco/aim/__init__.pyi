from .camera import CameraLike as CameraLike
from .camera import CameraRig as CameraRig
from .elements import find_element as find_element
from .framing import View as View
from .framing import frame as frame
from .in_picture import is_in_picture as is_in_picture
