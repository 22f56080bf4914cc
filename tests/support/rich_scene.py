"""A small MuJoCo model with one of each thing that is drawn."""

import math

import mujoco


def _hills(rows: int, columns: int) -> str:
    heights = (
        math.sin(0.9 * row) * math.cos(0.7 * column) + 1
        for row in range(rows)
        for column in range(columns)
    )
    return " ".join(f"{height:.3f}" for height in heights)


def _skin() -> str:
    """A strip between two bodies, whose vertices follow both."""
    rows = 7
    vertices = [(x / (rows - 1), z) for x in range(rows) for z in (-0.08, 0.08)]
    faces = []
    for row in range(rows - 1):
        a = 2 * row
        faces += [(a, a + 2, a + 3), (a, a + 3, a + 1)]
    numbers = range(2 * rows)
    shares = [vertices[number][0] for number in numbers]
    bones = "".join(
        f'<bone body="{body}" bindpos="{x} 0 0" bindquat="1 0 0 0" '
        f'vertid="{" ".join(map(str, numbers))}" vertweight="{" ".join(map(str, weights))}"/>'
        for body, x, weights in (("left", 0, [1 - share for share in shares]), ("right", 1, shares))
    )
    return (
        f'<skin name="strip" rgba=".9 .6 .3 1" inflate="0.01" '
        f'vertex="{" ".join(f"{x:.3f} 0 {z}" for x, z in vertices)}" '
        f'face="{" ".join(f"{a} {b} {c}" for a, b, c in faces)}">{bones}</skin>'
    )


XML = f"""
<mujoco model="rich">
  <visual>
    <headlight ambient=".25 .25 .25" diffuse=".3 .3 .3" specular=".3 .3 .3"/>
    <map znear=".02"/>
  </visual>
  <statistic extent="3" center="0 0 .6"/>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1=".5 .6 .8" rgb2=".1 .1 .2" width="64"
             height="384"/>
    <texture name="checker" type="2d" builtin="checker" rgb1=".8 .8 .7" rgb2=".3 .35 .4" width="64"
             height="64" mark="edge" markrgb=".9 .2 .2"/>
    <texture name="cube" type="cube" builtin="flat" rgb1=".8 .5 .2" rgb2=".2 .5 .8" width="32"
             height="192" mark="cross" markrgb="1 1 1"/>
    <material name="floor" texture="checker" texrepeat="2 2" texuniform="true" reflectance=".25"/>
    <material name="wall" texture="checker" texrepeat="3 2"/>
    <material name="cube" texture="cube"/>
    <material name="cubes" texture="cube" texuniform="true"/>
    <material name="glow" rgba=".9 .9 .4 1" emission=".6"/>
    <material name="shiny" rgba=".4 .6 .9 1" specular="1" shininess=".9"/>
    <material name="dull" rgba=".7 .4 .4 1" specular="0" shininess="0"/>
    <material name="glass" rgba=".5 .9 .8 .4"/>
    <hfield name="hills" nrow="12" ncol="16" size=".6 .5 .15 .05" elevation="{_hills(12, 16)}"/>
    <mesh name="corner" vertex="0 0 0  .3 0 0  0 .3 0  0 0 .3"/>
    <mesh name="painted" vertex="-.2 -.2 0  .2 -.2 0  .2 .2 0  -.2 .2 0  0 0 .3"
          texcoord="0 0 1 0 1 1 0 1 .5 .5" face="0 1 4 1 2 4 2 3 4 3 0 4 0 3 2 0 2 1"/>
  </asset>
  <worldbody>
    <light name="sun" type="directional" pos="0 0 4" dir=".3 .4 -1" diffuse=".4 .4 .4"/>
    <light name="spot" pos="-1.5 -1.5 2.5" dir="1 1 -1.5" diffuse=".5 .4 .3" cutoff="30"
           exponent="5" attenuation="1 .05 .01"/>
    <camera name="side" pos="0 -4 1.2" xyaxes="1 0 0 0 .2 1"/>
    <camera name="along" mode="targetbody" target="pendulum" pos="2.5 -2.5 1.5"/>
    <geom name="floor" type="plane" size="0 0 .1" material="floor"/>
    <geom name="wall" type="plane" size="1.5 .6 .1" pos="0 1.6 .6" zaxis="0 -1 0" material="wall"/>
    <geom name="hills" type="hfield" hfield="hills" pos="-1.3 .7 .05" rgba=".4 .6 .3 1"/>
    <geom name="ball" type="sphere" size=".18" pos="-.9 -.5 .18" material="cube"/>
    <geom name="egg" type="ellipsoid" size=".12 .2 .25" pos="-.4 -.7 .25" material="shiny"/>
    <geom name="can" type="cylinder" size=".15 .2" pos=".1 -.7 .2" material="wall"/>
    <geom name="crate" type="box" size=".2 .15 .15" pos=".6 -.6 .15" euler="0 0 30"
          material="cubes"/>
    <geom name="lamp" type="capsule" size=".06 .2" pos="1 -.6 .26" material="glow"/>
    <geom name="dice" type="box" size=".12 .12 .12" pos="1.3 -.2 .12" material="wall"/>
    <geom name="corner" type="mesh" mesh="corner" pos="-1.4 -.4 .1" material="dull"/>
    <geom name="painted" type="mesh" mesh="painted" pos="1.2 .5 .05" material="wall"/>
    <geom name="glass" type="box" size=".3 .02 .3" pos="-.2 -1.1 .3" material="glass"/>
    <geom name="bubble" type="sphere" size=".2" pos=".35 -1.1 .25" rgba=".9 .3 .3 .3"/>
    <geom name="hull" type="box" size=".4 .4 .4" pos="0 0 .4" group="3" rgba="0 1 0 .3"/>
    <site name="mark" type="box" size=".03 .03 .03" pos=".9 .2 .5" rgba="1 0 0 1"/>
    <site name="anchor" pos="0 0 1.4" size=".03"/>
    <body name="pendulum" pos="0 0 1.4">
      <joint axis="0 1 0" damping=".02"/>
      <geom name="rod" type="capsule" fromto="0 0 0 .5 0 -.1" size=".04" material="shiny"/>
      <site name="tip" pos=".5 0 -.1" size=".03"/>
      <light name="torch" mode="fixed" pos=".5 0 -.1" dir="0 0 -1" diffuse=".3 .3 .5"
             castshadow="false" cutoff="50"/>
    </body>
    <body name="weight" pos=".5 .3 1">
      <freejoint/>
      <geom name="weight" type="sphere" size=".07" rgba=".2 .2 .2 1"/>
      <site name="eye" size=".02"/>
    </body>
    <body name="left" pos="-.9 -.1 1">
      <joint axis="0 1 0"/><geom name="left" type="sphere" size=".05" pos=".1 0 0"/>
    </body>
    <body name="right" pos=".1 -.1 1">
      <joint axis="0 1 0"/><geom name="right" type="sphere" size=".05" pos="-.1 0 0"/>
    </body>
    <flexcomp name="cloth" type="grid" count="6 6 1" spacing=".09 .09 .09" pos="1.2 .2 1.1" dim="2"
              radius=".01" mass=".3" material="wall">
      <edge equality="true"/><contact selfcollide="none"/>
      <pin id="0 5"/>
    </flexcomp>
    <flexcomp name="jelly" type="grid" count="3 3 3" spacing=".1 .1 .1" pos="-1.3 .3 .9" dim="3"
              radius=".02" mass=".3" rgba=".3 .8 .4 1">
      <edge equality="true"/><contact selfcollide="none"/>
    </flexcomp>
    <flexcomp name="rope" type="grid" count="8 1 1" spacing=".08 .08 .08" pos="-.4 .9 1.3" dim="1"
              radius=".015" mass=".2" rgba=".8 .7 .3 1">
      <edge equality="true"/><contact selfcollide="none"/><pin id="0"/>
    </flexcomp>
  </worldbody>
  <deformable>{_skin()}</deformable>
  <tendon>
    <spatial name="cord" width=".012" rgba=".9 .2 .2 1" limited="true" range="0 1.2">
      <site site="tip"/><site site="eye"/>
    </spatial>
  </tendon>
</mujoco>
"""


def rich_model() -> mujoco.MjModel:
    """Compile it."""
    return mujoco.MjModel.from_xml_string(XML)
