import os
import subprocess
import sys
import tempfile
from datetime import datetime

import pytest

from lerax_log.host.run_names import MAX_BYTES, new_name, safe_name


@pytest.fixture(autouse=True)
def no_claims_of_earlier_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_names_are_as_documented():
    now = datetime(2026, 2, 20, 12, 0, 0)
    name = "PPO_MLPActorCriticPolicy_CartPole-v1_20260220_120000"
    assert new_name("PPO", "MLPActorCriticPolicy", "CartPole-v1", now) == name
    # Two starts in one second.
    assert new_name("PPO", "MLPActorCriticPolicy", "CartPole-v1", now) == f"{name}-2"
    assert new_name("PPO", "MLPActorCriticPolicy", "CartPole-v1", now) == f"{name}-3"


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
    name = new_name("PPO", "x" * 300, "y" * 300, datetime(2026, 2, 20, 12, 0, 0))
    assert name.startswith("PPO_x")
    assert name.endswith("_20260220_120000")
    assert len(name) <= MAX_BYTES


def test_processes_that_start_in_the_same_second_get_names_of_their_own(tmp_path):
    script = (
        "from datetime import datetime; from lerax_log.host.run_names import new_name; "
        "print(new_name('PPO', 'Policy', 'Race', datetime(2026, 2, 20, 12)))"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        for _ in range(4)
    ]
    names = [child.communicate()[0].strip() for child in children]

    assert all(name.startswith("PPO_Policy_Race_20260220_120000") for name in names)
    assert len(set(names)) == 4


def test_a_link_in_the_place_of_the_claims_leads_to_nothing_being_removed(tmp_path):
    precious = tmp_path / "documents"
    precious.mkdir()
    (precious / "old").write_text("x")
    os.utime(precious / "old", (0, 0))
    (tmp_path / f"lerax-log-{os.getuid()}").symlink_to(precious)
    script = (
        "from datetime import datetime; from lerax_log.host.run_names import new_name; "
        "print(new_name('PPO', 'Policy', 'Race', datetime(2026, 2, 20, 12)))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    assert [path.name for path in precious.iterdir()] == ["old"]
