from .build import PAGE as PAGE
from .build import make_gallery as make_gallery
from .manifest import Entry as Entry
