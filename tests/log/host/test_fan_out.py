import pytest

from lerax_log.host.fan_out import RunBackends
from lerax_render import RenderWarning
from support.trainings import GifMemory, Memory, Mp4Memory


@pytest.mark.parametrize(
    ("wants", "formats"),
    [
        ([()], set()),
        ([("gif",), ()], {"gif"}),
        ([("gif",), ("mp4",)], {"gif", "mp4"}),
        ([("mp4", "gif"), ("gif",)], {"gif"}),
        ([("mp4",), ("mp4",)], {"mp4"}),
    ],
)
def test_as_few_formats_as_serve_all(wants, formats):
    backends = []
    for formats_of_one in wants:
        backend = Memory()
        backend.video_formats = formats_of_one
        backends.append(backend)
    run = RunBackends("run", backends)
    assert run.video_formats == set()
    run.open()
    assert run.video_formats == formats
    run.close()


def test_a_video_goes_to_those_who_want_it_even_if_one_fails():
    gif, mp4, none = GifMemory(fails=("log_video",)), Mp4Memory(), Memory()
    run = RunBackends("run", [gif, mp4, none])
    run.open()
    with pytest.warns(RenderWarning, match="GifMemory did not take the video of step 5: OSError"):
        run.log_video("eval/video", {"gif": "the gif", "mp4": "the mp4"}, 5)
    assert mp4.calls[-1] == ("log_video", "run", "eval/video", "the mp4", 5)
    assert none.methods() == ["open"]
    run.close()
