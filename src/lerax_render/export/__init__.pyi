from .gltf import make_glb as make_glb
