from .building import check_scenes as check_scenes
from .building import make_glb as make_glb
