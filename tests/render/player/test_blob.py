"""Arrays arrive in the page's script as they were."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np

import lerax_render
from lerax_render.player import Blob
from support.requirements import lacking

SCRIPT = Path(lerax_render.__file__).parent / "player/blob.js"


def test_script_takes_out_what_was_added() -> None:
    if shutil.which("node") is None:
        lacking("node, Debian's nodejs")
    random = np.random.default_rng(0)
    arrays = [
        random.integers(0, 256, (7, 3), np.uint8),
        random.integers(-30_000, 30_000, (50, 2, 3), np.int16),
        random.integers(0, 65_536, (50, 4), np.uint16),
        random.integers(0, 2**32, (5, 2), np.uint32),
        random.normal(size=(9, 2)).astype(np.float32),
        np.zeros((0, 3), np.float32),
    ]
    blob = Blob()
    references = [blob.add(each, over_time=over) for each in arrays for over in (False, True)]
    program = f"""
        const script = require("fs").readFileSync({json.dumps(str(SCRIPT))}, "utf8");
        const arrayIn = new Function(script + "; return arrayIn")();
        const bytes = new Uint8Array({list(blob.bytes())});
        const found = {json.dumps(references)}.map((each) => [...arrayIn(bytes, each)]);
        console.log(JSON.stringify(found));
    """
    printed = subprocess.check_output(["node", "-e", program], text=True)
    expected = [each.ravel().tolist() for each in arrays for _ in range(2)]
    assert json.loads(printed) == expected
