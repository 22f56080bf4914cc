"""Simulations that become unstable: one warning of ours, and nothing of MuJoCo's."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest

from lerax_render import RenderError, RenderWarning, Simulation, capture, record
from lerax_render.naming.loading import load_env

ARM = """<mujoco model="arm"><option timestep=".02" gravity="0 0 0"/><worldbody>
<body pos="0 0 1"><joint name="a" axis="0 1 0"/><geom type="capsule" fromto="0 0 0 .5 0 0"
size=".04"/></body></worldbody><actuator><position joint="a" kp="1e7" kv="1e5"/></actuator>
</mujoco>"""
CROWD = """<mujoco><size memory="80K"/><worldbody><geom type="plane" size="5 5 .1"/>
<replicate count="30" offset=".2 0 0"><body pos="0 0 .09"><freejoint/>
<geom size=".1 .1 .1" type="box"/></body></replicate></worldbody></mujoco>"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_step_is_named_once_and_mujoco_says_nothing(folder, capfd):
    controls = np.concatenate([np.zeros((2, 1)), np.ones((8, 1))])
    simulation = Simulation(mujoco.MjModel.from_xml_string(ARM), controls, frame_skip=1)
    with pytest.warns(RenderWarning, match="^arm is unstable from step 4: use a sm") as found:
        capture(simulation, steps=11)

    assert len(found) == 1
    assert not list(folder.iterdir())
    assert capfd.readouterr() == ("", "")
    assert mujoco.get_mju_user_warning() is None


def test_a_handler_of_the_users_stays(folder):
    heard: list[str] = []
    mujoco.set_mju_user_warning(heard.append)
    try:
        with pytest.warns(RenderWarning, match="unstable"):
            capture(Simulation(mujoco.MjModel.from_xml_string(ARM)), steps=6, key=0)
        assert mujoco.get_mju_user_warning() is not None
    finally:
        mujoco.set_mju_user_warning(None)
    assert heard[0].startswith("Nan, Inf")


def test_several_threads(folder, capfd):
    def run() -> None:
        capture(Simulation(mujoco.MjModel.from_xml_string(ARM)), steps=300, key=0)

    with ThreadPoolExecutor(3) as pool, pytest.warns(RenderWarning, match="unstable"):
        list(pool.map(lambda _: run(), range(3)))

    assert not list(folder.iterdir())
    assert capfd.readouterr().err == ""
    assert mujoco.get_mju_user_warning() is None


def test_what_mujoco_says_of_other_things_is_passed_on(folder, capfd):
    simulation = Simulation(mujoco.MjModel.from_xml_string(CROWD), frame_skip=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        capture(simulation, steps=2)

    assert capfd.readouterr().err.startswith("WARNING: Too many contacts.")
    assert not list(folder.iterdir())


def test_a_simulation_that_mujoco_gives_up(folder):
    crowd = CROWD.replace("80K", "25K").replace('".2 0 0"', '".05 0 0"').replace("30", "40")
    crowd = crowd.replace(' size=".1 .1 .1" type="box"', ' size=".1"')
    simulation = Simulation(mujoco.MjModel.from_xml_string(crowd))
    with pytest.raises(RenderError, match=r"^MuJoCo gave .* up at step 0: .*out of memory"):
        capture(simulation, steps=2)
    assert mujoco.get_mju_user_warning() is None


def test_gymnasiums_environments_are_watched_too(folder, capfd):
    assets = Path(gymnasium.__file__).parent / "envs/mujoco/assets"
    model = (assets / "inverted_pendulum.xml").read_text()
    (folder / "strong.xml").write_text(model.replace('gear="100"', 'gear="1e14"'))
    size = {"xml_file": str(folder / "strong.xml"), "width": 64, "height": 48}
    env = load_env("gym:InvertedPendulum-v5", size)
    with pytest.warns(RenderWarning, match="^InvertedPendulum-v5 is unstable from step 1"):
        record(env, steps=4, format="apng", width=64, height=48)
    env.env.close()

    assert [path.name for path in folder.iterdir()] == ["strong.xml"]
    assert "Nan" not in capfd.readouterr().err
