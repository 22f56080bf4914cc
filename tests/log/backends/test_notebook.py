"""The console in a real notebook, where a kernel for one is installed."""

import sys
from importlib.util import find_spec

import pytest

PROGRAM = f"""
import sys
sys.path[:0] = {sys.path!r}
from lerax_log.backends import ConsoleBackend, Progress
from lerax_log.testing import make_clip
backend = ConsoleBackend()
backend.show_progress(Progress("tracing"))
backend.open("run")
for step in (10, 20):
    backend.show_progress(Progress("training", step // 10, 2, step))
    backend.log_scalars({{"train/loss": step / 40}}, step)
backend.log_video("eval/video", make_clip("mp4"), 10)
backend.show_progress(Progress("done", 2, 2, 20))
backend.close()
"""


@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("ipykernel", "nbclient", "nbformat")),
    reason="needs ipykernel and nbclient",
)
def test_a_notebook_has_one_output_with_what_was_last() -> None:
    import nbclient
    import nbformat
    from jupyter_client import AsyncKernelManager

    class Manager(AsyncKernelManager):
        def format_kernel_cmd(self, *arguments: object, **more: object) -> list[str]:
            command = super().format_kernel_cmd(*arguments, **more)
            return [sys.executable, *command[1:]]

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PROGRAM)])
    nbclient.NotebookClient(notebook, timeout=200, kernel_manager_class=Manager).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    page = output.data["text/html"]
    for text in ("train", "0.5", "training done in", "100%", "eval/video at step 10: not kept"):
        assert text in page
    assert "tracing" not in page
