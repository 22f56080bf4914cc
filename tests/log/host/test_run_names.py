from datetime import datetime

import pytest

from lerax_log.host.run_names import MAX_BYTES, USUAL, filled, safe_name

NOW = datetime(2026, 2, 20, 12, 0, 0)
VALUES = {"algorithm": "PPO", "policy": "MLPActorCriticPolicy", "env": "CartPole-v1", "seed": 3}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (USUAL, "PPO_MLPActorCriticPolicy_CartPole-v1_20260220_120000"),
        ("{time}_{env}", "20260220_120000_CartPole-v1"),
        ("{env}/seed {seed}", "CartPole-v1/seed-3"),
        ("{other} {} {{env}}", "{other}-{}-{CartPole-v1}"),
        ("sweep/../a", "sweep/a"),
        ("../../etc/passwd", "etc/passwd"),
        ("/absolute", "absolute"),
        ("...///", "run"),
    ],
)
def test_templates_are_filled_in_and_stay_below(template, expected):
    assert filled(template, VALUES, NOW) == expected


def test_a_slash_in_an_environments_name_makes_no_folder():
    assert filled("{env}", {"env": "ALE/Pong"}, NOW) == "ALE-Pong"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my-experiment", "my-experiment"),
        ("../../etc/passwd", "etc-passwd"),
        ("a/b\\c", "a-b-c"),
        ("nul\x00byte\nline", "nul-byte-line"),
        (".hidden", "hidden"),
        ("..", "run"),
        ("...///", "run"),
        ("größe 3", "größe-3"),
        ("trailing. ", "trailing"),
    ],
)
def test_names_are_safe_as_folders(name, expected, tmp_path):
    assert safe_name(name) == expected
    (tmp_path / expected).mkdir()


def test_long_names_are_cut_and_stay_apart(tmp_path):
    names = {safe_name("ö" * 500 + end) for end in ("a", "b")}
    assert len(names) == 2
    for name in names:
        assert len(name.encode()) <= MAX_BYTES
        (tmp_path / f"{name}_12").mkdir()


def test_a_long_environment_name_leaves_the_time_stamp():
    name = filled(USUAL, VALUES | {"policy": "x" * 300, "env": "y" * 300}, NOW)
    assert name.startswith("PPO_x")
    assert name.endswith("_20260220_120000")
    assert len(name) <= MAX_BYTES
