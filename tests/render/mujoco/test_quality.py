import mujoco
import pytest

from lerax_render.mujoco.look import quality


def adapted(settings: str, name: str) -> mujoco.MjModel:
    model = mujoco.MjModel.from_xml_string(
        f"<mujoco><visual><quality {settings}/></visual></mujoco>"
    )
    return quality.adapt(model, quality.QUALITIES[name], 300, 200)


def test_auto_goes_by_what_draws() -> None:
    assert quality.choose("auto", software=True) == "standard"
    assert quality.choose("auto", software=False) == "high"
    for name in quality.QUALITIES:
        assert quality.choose(name, software=True) == name
        quality.check_name(name)
    with pytest.raises(ValueError, match="one of auto, draft, standard, high, got 'medium'"):
        quality.check_name("medium")


def test_the_users_model_is_not_touched() -> None:
    model = mujoco.MjModel.from_xml_string("<mujoco/>")
    copy = quality.adapt(model, quality.QUALITIES["draft"], 3000, 20)
    assert (copy.vis.global_.offwidth, copy.vis.global_.offheight) == (3000, 20)
    assert copy.vis.quality.offsamples == 0
    assert (model.vis.global_.offwidth, model.vis.global_.offheight) == (640, 480)
    assert model.vis.quality.offsamples == 4


def test_better_settings_of_the_models_stay_in_high_quality() -> None:
    found = adapted('shadowsize="8192" offsamples="8" numslices="64"', "high").vis.quality
    assert (found.shadowsize, found.offsamples, found.numslices) == (8192, 8, 64)
    found = adapted('shadowsize="512" offsamples="2" numslices="8"', "high").vis.quality
    assert (found.shadowsize, found.offsamples, found.numslices) == (4096, 4, 28)


def test_cheaper_settings_of_the_models_stay_in_standard_quality() -> None:
    found = adapted('shadowsize="512" numslices="8" numstacks="6"', "standard").vis.quality
    assert (found.shadowsize, found.numslices, found.numstacks) == (512, 8, 6)
    found = adapted("", "standard").vis.quality
    assert (found.shadowsize, found.offsamples) == (1024, 0)
    assert found.numslices < 28


def test_what_the_model_switches_off_stays_off() -> None:
    found = adapted('shadowsize="0" offsamples="0"', "high").vis.quality
    assert (found.shadowsize, found.offsamples) == (0, 0)
