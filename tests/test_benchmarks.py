"""The page of the benchmarks, their processes, and the measuring on a GPU, tried without one."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from lerax_render.video.formats import FORMATS
from support.paths import ROOT

BENCHMARKS = ROOT / "benchmarks"
sys.path.append(str(BENCHMARKS))

import gpu  # noqa: E402
import history  # noqa: E402
import parts  # noqa: E402
import report  # noqa: E402
import run as whole_run  # noqa: E402
import timing  # noqa: E402

FACTS = [("date", "2026-11-24 10:00"), ("CPU", "an abacus | wooden")]


def sections() -> list[report.Section]:
    rows = [
        timing.faster("painting / theirs", 12_345.6, 100.0, 40),
        timing.costs("clip / ffmpeg alone", 1.5, 1.0, 1.25),
        timing.at_most("memory", 700.0, 800, "MB"),
        timing.known("a | b", 0.01234, 2.0, "s"),
    ]
    return [
        report.Section("Painting", "What it is.", rows),
        report.Section(
            "Stages", "Each.", table=[("", "paint"), ("CartPole", "16,100")], note="So it is."
        ),
    ]


def test_page_holds_every_number_ratio_and_aim():
    text = report.page(sections(), FACTS)

    assert text.startswith("# Benchmarks\n\n")
    assert "| CPU | an abacus \\| wooden |" in text
    assert "| painting / theirs | 12,300 | 100 | frames/s | 123 | ≥ 40 | met |" in text
    assert "| clip / ffmpeg alone | 1.50 | 1.00 | s | 1.50 | ≤ 1.25 | **missed** |" in text
    assert "| memory | 700 | – | MB | – | ≤ 800 MB | met |" in text
    assert "| a \\| b | 0.0123 | 2.00 | s | 0.00617 |  |  |" in text
    assert "2 of 3 aims were met in this run. Missed:\n\n- clip / ffmpeg alone\n" in text
    assert text.endswith("\n| CartPole | 16,100 |\n\nSo it is.\n")


def test_page_ends_with_what_was_measured_once():
    page = (ROOT / "docs/benchmarks.md").read_text()
    assert whole_run.measured_once().startswith("\n## Once: ")
    assert page.endswith(whole_run.measured_once())


def test_every_table_of_the_page_is_one_in_markdown():
    blocks = report.page(sections(), FACTS).split("\n\n")
    tables = [block.strip().splitlines() for block in blocks if "| --- |" in block]
    assert len(tables) == 3
    for table in tables:
        assert set(table[1]) == set("| -")
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


def test_section_survives_the_way_from_its_process():
    for section in sections():
        copy = report.Section.from_json(section.to_json())
        assert report.markdown(copy) == report.markdown(section)


def test_only_the_section_of_that_title_is_replaced():
    first, second = sections()
    page = report.page([first, second], FACTS)
    new = report.Section("Painting", "Anew.")
    changed = report.replace_section(page, new)

    assert changed == page.replace(report.markdown(first), "## Painting\n\nAnew.")
    assert report.replace_section(changed, first) == page
    last = report.Section("Stages", "Last.")
    assert report.replace_section(page, last).endswith("\n\n## Stages\n\nLast.\n")
    added = report.replace_section(page, report.Section("GPU", "New."))
    assert added == page + "\n## GPU\n\nNew.\n"


CRASHING = """
import os, signal, sys
from report import Section

def sections():
    yield Section("First", "whole")
    print("about to fail", flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)

def raising():
    yield Section("First", sys.argv[0] and os.environ["MUJOCO_GL"])
    import moviepy_that_nobody_has

def hanging():
    while True:
        signal.pause()
    yield
"""


@pytest.mark.parametrize(
    ("function", "why"),
    [("sections", "SIGSEGV"), ("raising", "No module named 'moviepy_that_nobody_has'")],
)
def test_part_that_fails_keeps_what_it_measured_and_says_why(function, why, tmp_path):
    (tmp_path / "crashing.py").write_text(CRASHING)
    first, failure = parts.measure(parts.Part("crashing", function), [tmp_path])

    assert first.title == "First"
    assert failure.title.startswith("Not measured: crashing")
    assert why in failure.prose


def test_the_whole_run_has_an_end():
    assert sum(part.seconds for part in whole_run.PARTS.values()) <= 30 * 60


def test_part_that_hangs_is_ended(tmp_path):
    (tmp_path / "crashing.py").write_text(CRASHING)
    failure = parts.measure(parts.Part("crashing", "hanging", seconds=1.0), [tmp_path])[-1]

    assert failure.title == "Not measured: crashing.hanging"
    assert "more than 1 s" in failure.prose


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **env}
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT, timeout=550)


def test_unknown_part_is_refused_with_those_that_there_are():
    done = run(sys.executable, BENCHMARKS / "run.py", "rendr")
    assert done.returncode == 2
    assert "no part rendr; there are render, " in done.stderr


def test_gpu_script_says_that_there_is_no_gpu_and_installs_nothing(tmp_path):
    broken = tmp_path / "nvidia-smi"
    broken.write_text("#!/bin/sh\necho NVIDIA-SMI has failed: no driver\nexit 9\n")
    broken.chmod(0o755)
    installed = (ROOT / ".tools/gpu").exists()
    done = run(BENCHMARKS / "gpu.sh", PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert done.returncode == 1
    assert "no NVIDIA GPU here that can be used: NVIDIA-SMI has failed: no driver" in done.stderr
    assert "Remedy: install NVIDIA's driver" in done.stderr
    assert done.stdout == ""
    assert (ROOT / ".tools/gpu").exists() == installed


def test_gpu_benchmark_refuses_to_measure_a_cpu():
    done = run(sys.executable, BENCHMARKS / "gpu.py", JAX_PLATFORMS="cpu")
    assert done.returncode == 1
    assert "JAX computes on cpu, cpu, not on a GPU. Remedy: " in done.stderr


def test_nvenc_is_asked_for_in_the_place_of_x264():
    options = gpu.as_nvenc(FORMATS["mp4"].arguments(128, 72))
    assert "h264_nvenc" in options
    assert not any("264" in option for option in options if option != "h264_nvenc")
    assert options[:2] == FORMATS["mp4"].arguments(128, 72)[:2]
    assert options[-3:] == ("-f", "mp4", "clip.mp4")
    assert "+faststart" in options


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rehearsal_paints_and_encodes():
    before = (ROOT / "docs/benchmarks.md").read_bytes()
    done = run(sys.executable, BENCHMARKS / "gpu.py", "--rehearse", "painting", "encoding")

    assert done.returncode == 0, done.stderr
    for what in ("`high` / bare loop", "whole MP4 clip / bare loop", "128×72: "):
        assert what in done.stdout
    assert re.search(r"NVENC / x264|there is no NVENC", done.stdout)
    assert "device: none, a rehearsal" in done.stdout
    assert (ROOT / "docs/benchmarks.md").read_bytes() == before


def test_what_got_worse_since_the_last_run_comes_first(tmp_path):
    def section(rate: float, cost: float, seconds: float, memory: float) -> report.Section:
        rows = [
            timing.faster("rate", rate, 1, at_least=1),
            timing.costs("cost", cost, 1, at_most=1),
            timing.known("alone", seconds, 1, "s"),
            timing.at_most("memory", memory, 100, "MB"),
        ]
        return report.Section("Part", "", rows)

    file = tmp_path / "last.json"
    assert history.read(file) == {}
    history.write([section(4, 0.5, 1, 50)], file)
    console = Console(record=True, width=120, file=io.StringIO())
    history.show_changes([section(2, 0.25, 1, 75)], history.read(file), console)

    rate, memory, alone, cost = console.export_text().split("\n")[2:6]
    assert rate.split() == ["Part:", "rate", "4.00", "2.00", "0.500", "worse"]
    assert memory.split() == ["Part:", "memory", "50.0", "75.0", "0.667", "worse"]
    assert alone.split() == ["Part:", "alone", "1.00", "1.00", "1.00"]
    assert cost.split() == ["Part:", "cost", "0.500", "0.250", "2.00"]

    # What was not measured this time is not forgotten.
    history.write([report.Section("Other", "", [timing.known("other", 2, 1, "s")])], file)
    assert set(history.read(file)) == {
        "Part: rate",
        "Part: cost",
        "Part: alone",
        "Part: memory",
        "Other: other",
    }
