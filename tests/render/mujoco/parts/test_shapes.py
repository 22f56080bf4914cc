"""Triangles are closed, face outwards, and are where MuJoCo's geoms are."""

import mujoco
import numpy as np
import pytest

from lerax_render.mujoco.parts import (
    Shape,
    height_field_shape,
    mesh_shape,
    parts_of,
    plane_lines,
    unit_shape,
)

MODEL = mujoco.MjModel.from_xml_string(
    """
    <mujoco>
      <asset>
        <hfield name="hills" nrow="3" ncol="4" size="3 2 1 .5" elevation="0 0 0 0 0 1 0 0 0 0 0 0"/>
        <mesh name="corner" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/>
        <mesh name="painted" vertex="0 0 0 1 0 0 0 1 0 0 0 1" face="0 2 1 0 1 3 0 3 2 1 2 3"
              texcoord="0 0 1 0 0 1 1 1"/>
      </asset>
      <worldbody>
        <geom type="hfield" hfield="hills"/>
        <geom type="plane" size="3 4 .5"/>
        <geom type="plane" size="0 0 1"/>
        <body><geom type="mesh" mesh="corner"/><geom type="mesh" mesh="painted"/></body>
      </worldbody>
    </mujoco>
    """
)


def volume(shape: Shape) -> float:
    """The volume that triangles enclose; it is negative if they face inwards."""
    corners = shape.positions[shape.triangles].astype(float)
    return float((corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("SPHERE", (2, 2, 2), 4 / 3 * np.pi * 8),
        ("ELLIPSOID", (1, 2, 3), 4 / 3 * np.pi * 6),
        ("CAPSULE", (0.5, 0.5, 2), np.pi * 0.25 * 4 + 4 / 3 * np.pi * 0.125),
        ("CYLINDER", (0.5, 0.5, 2), np.pi * 0.25 * 4),
        ("BOX", (1, 2, 3), 48),
    ],
)
def test_parts_of_a_geom_enclose_its_volume(
    kind: str, size: tuple[float, float, float], expected: float
) -> None:
    total = 0.0
    for part in parts_of(getattr(mujoco.mjtGeom, f"mjGEOM_{kind}"), np.array(size)):
        shape = unit_shape(part.shape, slices=64, stacks=64)
        places = shape.positions * part.scale + [0, 0, part.height]
        total += volume(Shape(places, shape.triangles))
    assert total == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("name", ["sphere", "dome", "bowl", "tube", "lids", "box", "plane"])
def test_normals_point_where_triangles_face(name: str) -> None:
    shape = unit_shape(name)
    flat = Shape(shape.positions, shape.triangles).flattened().normals
    assert shape.normals is not None
    assert flat is not None
    assert np.linalg.norm(shape.normals, axis=1) == pytest.approx(1, abs=1e-6)
    assert (flat * shape.normals[shape.triangles].reshape(-1, 3)).sum(axis=1).min() > 0.95


def test_mesh_keeps_edges_and_shares_what_is_equal() -> None:
    shape = mesh_shape(MODEL, 0)
    assert volume(shape) == pytest.approx(1 / 6, rel=1e-5)
    assert len(shape.positions) == 12
    painted = mesh_shape(MODEL, 1)
    assert painted.texcoords is not None
    assert painted.texcoords.shape == (len(painted.positions), 2)
    assert volume(painted) == pytest.approx(1 / 6, rel=1e-5)


def test_height_field_is_closed() -> None:
    # A hill of height 1 on a grid of 2 by 2 metres has the volume of a square pyramid's like.
    assert volume(height_field_shape(MODEL, 0)) == pytest.approx(6 * 4 * 0.5 + 2 * 2, rel=1e-5)


def test_planes_are_divided_up_to_their_rims() -> None:
    xs, ys = plane_lines(MODEL, 1)
    assert (xs[0], xs[-1], ys[0], ys[-1]) == (-3, 3, -4, 4)
    endless, _ = plane_lines(MODEL, 2)
    assert endless[-1] > MODEL.stat.extent * MODEL.vis.map.zfar
