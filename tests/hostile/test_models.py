"""A service that loads what strangers send: their MJCF files have limits, and nothing else goes."""

import pytest

from lerax_render.naming.loading import load_env

MESH = '<mujoco><asset><mesh name="m" file="{}"/></asset></mujoco>'
HOSTILE = {
    "size": (
        '<mujoco><worldbody><replicate count="999999999"><geom size=".1"/></replicate>'
        "</worldbody></mujoco>",
        "more than 10000 parts",
    ),
    "a file elsewhere": (MESH.format("../secret.obj"), "outside of"),
    "an absolute path": (MESH.format("/proc/self/environ"), "outside of"),
    "an include elsewhere": ('<mujoco><include file="../secret.obj"/></mujoco>', "outside of"),
    "no model": ("PK\3\4", "no MJCF"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_strangers_model_is_refused_before_mujoco_reads_it(tmp_path, monkeypatch, kind):
    import mujoco

    def read(path):
        raise AssertionError(f"MuJoCo read {path}")

    monkeypatch.setattr(mujoco.MjModel, "from_xml_path", read)
    (tmp_path / "secret.obj").write_text("v 0 0 0")
    (tmp_path / "sent").mkdir()
    text, message = HOSTILE[kind]
    path = tmp_path / "sent" / "model.xml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_env(str(path), untrusted=True)


def test_a_folder_that_the_service_names_is_allowed_and_the_size_is_limited(tmp_path):
    (tmp_path / "part.xml").write_text(
        '<mujocoinclude><worldbody><geom size=".1"/></worldbody></mujocoinclude>'
    )
    (tmp_path / "sent").mkdir()
    path = tmp_path / "sent" / "model.xml"
    path.write_text('<mujoco><include file="../part.xml"/></mujoco>')
    assert load_env(str(path), {"assets": str(tmp_path)}, untrusted=True).model.ngeom == 1
    path.write_text(HOSTILE["size"][0])
    with pytest.raises(ValueError, match="more than 10000 parts"):
        load_env(str(path), {"assets": str(tmp_path)}, untrusted=True)


@pytest.mark.parametrize("spec", ["sent.py:Env", "sent:Env", "CartPole", "gym:sent:Env-v0"])
def test_code_cannot_be_untrusted_and_is_not_run(tmp_path, monkeypatch, spec):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent.py").write_text("open('was run', 'w')")
    with pytest.raises(ValueError, match=r"only a model.s file \(\*\.xml, .*\) can be untrusted: "):
        load_env(spec, untrusted=True)
    assert not (tmp_path / "was run").exists()
