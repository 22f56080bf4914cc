"""Runs the benchmarks, prints ratios, also those of last time, and writes docs/benchmarks.md.

python benchmarks/run.py                    everything; writes the page, and last.json
python benchmarks/run.py render training    these parts; writes nothing
"""

import argparse
import hashlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import history
from gpu import page_section
from parts import Part, measure
from report import (
    Section,
    duration,
    facts_at_start,
    facts_of_machine,
    page,
    replace_section,
    show,
)
from rich.console import Console
from timing import cpu_time

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/benchmarks.md"
OPPONENTS = ROOT / ".tools/bench"
ONCE = ROOT / "benchmarks/once.md"

# In the order of the page. Together they may take 30 minutes.
PARTS = {
    "render": Part("render", seconds=120),
    "composing": Part("composing", seconds=100),
    "draw_calls": Part("draw_calls"),
    "recorders": Part("recorders", opponents=True, seconds=150),
    "first_clip": Part("first_clip", seconds=180),
    "framing": Part("framing", seconds=120),
    "episodes": Part("episodes"),
    "compiling": Part("compiling", seconds=90),
    "beside": Part("beside", seconds=150),
    "memory": Part("memory"),
    "workers": Part("workers"),
    "gallery": Part("gallery", seconds=100),
    "many": Part("many", seconds=270),
    "training": Part("training", seconds=150),
    "recording": Part("recording", seconds=120),
}


def install_opponents() -> str:
    """Install what is compared with, unless it is there; return why that failed, or nothing.

    Apart from everything else, since moviepy pins an old Pillow.
    """
    lock, stamp = ROOT / "requirements-bench.lock", OPPONENTS / ".lock"
    wanted = f"{sys.version_info[:2]} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return ""
    setup = [ROOT / "scripts/setup", "--uv"]
    install = f"pip install --quiet --python {sys.executable} --target {OPPONENTS}".split()
    install += ["--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    shutil.rmtree(OPPONENTS, ignore_errors=True)
    try:
        uv = subprocess.run(setup, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        subprocess.run([uv, *install], check=True)
    except subprocess.CalledProcessError as error:
        return f"{Path(error.cmd[0]).name} could not install them (exit status {error.returncode})"
    stamp.write_text(wanted)
    return ""


def measured_once() -> str:
    """Return the end of the page: the sections that are written by hand."""
    text = ONCE.read_text()
    return "\n" + text[text.index("## ") :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}")
    parser.add_argument("--page", type=Path, help="where the page goes, also that of some parts")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    path = arguments.page or (None if arguments.parts else PAGE)
    console = Console(width=max(120, Console().width))
    # So that the part under way ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    facts, started = facts_at_start(), time.monotonic()
    sections: list[Section] = []
    for name in arguments.parts or PARTS:
        part = PARTS[name]
        if part.opponents and (why := install_opponents()):
            print(f"Gymnasium's RecordVideo and mediapy: {why}", file=sys.stderr)
        begun, cpu = time.monotonic(), cpu_time()
        measured = measure(part, [OPPONENTS] if part.opponents else [])
        for section in measured:
            show(section, console)
        took, used = duration(time.monotonic() - begun), duration(cpu_time() - cpu)
        console.print(f"{name}: {took}, {used} of CPU time\n", highlight=False)
        sections += measured
    history.show_changes(sections, history.read(), console)
    facts.append(("it took", duration(time.monotonic() - started)))
    facts += facts_of_machine(OPPONENTS)
    for fact, value in facts:
        console.print(f"{fact}: {value}", highlight=False, markup=False, soft_wrap=True)
    if path is not None:
        # Apart, since what was measured on a GPU was not in this run.
        whole = replace_section(page(sections, facts), page_section())
        path.write_text(whole + measured_once())
        console.print(f"\nwritten: {path}", highlight=False, markup=False, soft_wrap=True)
    if not arguments.parts:
        history.write(sections)
    if any(section.title.startswith("Not measured") for section in sections):
        sys.exit(1)


if __name__ == "__main__":
    main()
