from types import SimpleNamespace
from typing import Any

import pytest

from lerax_log.backends import FanOut
from lerax_render import RenderWarning
from support.trainings import GifMemory, Memory, Mp4Memory


@pytest.mark.parametrize(
    ("takes", "formats"),
    [
        ([()], ()),
        ([("gif",), ()], ("gif",)),
        ([("gif",), ("mp4",)], ("gif", "mp4")),
        ([("mp4", "gif"), ("gif",)], ("gif",)),
        ([("mp4",), ("mp4",)], ("mp4",)),
    ],
)
def test_as_few_formats_as_serve_all(takes, formats):
    backends = []
    for formats_of_one in takes:
        backend = Memory()
        backend.video_formats = formats_of_one
        backends.append(backend)
    assert FanOut(backends).video_formats == formats


def test_what_cannot_be_opened_takes_no_videos():
    gif, mp4 = GifMemory(fails=("open",)), Mp4Memory()
    both = FanOut([gif, mp4])
    assert both.video_formats == ("gif", "mp4")
    with pytest.warns(RenderWarning, match="run r: nothing is logged to GifMemory"):
        both.open("r")
    assert both.video_formats == ("mp4",)
    both.close()


def clip(format: str) -> Any:
    return SimpleNamespace(format=format)


def test_a_backend_takes_a_clip_in_its_first_choice_of_the_formats_that_are_made():
    gif, mp4, any_format, none = GifMemory(), Mp4Memory(), Memory(), Memory()
    any_format.video_formats = ("webm", "mp4", "gif")
    both = FanOut([any_format, gif, mp4, none])
    both.open("run")
    for format in both.video_formats:
        both.log_video("eval/video", clip(format), 5)
    both.close()
    taken = [[video.format for _, video in one.videos()] for one in (any_format, gif, mp4, none)]
    assert taken == [["mp4"], ["gif"], ["mp4"], []]


def test_a_video_goes_to_those_who_take_it_even_if_one_fails():
    gif, other = GifMemory(fails=("log_video",)), GifMemory()
    both = FanOut([gif, other])
    both.open("run")
    with pytest.warns(RenderWarning, match="GifMemory did not take the video of step 5: OSError"):
        both.log_video("eval/video", clip("gif"), 5)
    assert [step for step, _ in other.videos()] == [5]
    both.close()


def test_its_folder_is_the_first_that_a_backend_has(tmp_path):
    both = FanOut([Memory(), Memory(tmp_path / "a"), Memory(tmp_path / "b")])
    assert both.run_dir is None
    both.open("run")
    both.close()
    assert both.run_dir == tmp_path / "a" / "run"


def test_a_copy_has_copies_of_its_backends():
    memory = Memory()
    both = FanOut([memory])
    both.open("run")
    with pytest.warns(RenderWarning, match="RuntimeError: this Memory has a run open"):
        FanOut([memory]).open("other")
    both.close()


def test_one_in_another_still_takes_a_clip_in_each_of_the_formats():
    gif, mp4 = GifMemory(), Mp4Memory()
    backend = FanOut([FanOut([gif, mp4]), Memory()])
    assert set(backend.video_formats) == {"gif", "mp4"}
    backend.open("run")
    for format in backend.video_formats:
        clip: Any = SimpleNamespace(format=format)
        backend.log_video("clip", clip, 1)
    assert [one.methods().count("log_video") for one in (gif, mp4)] == [1, 1]


def test_ids_are_those_that_were_known_and_what_a_backend_says_instead():
    class Service(Memory):
        def open(self, name):
            super().open(name)
            self.ids = {**self.ids, "service": "mine"}

    backend = FanOut([Memory(), Service(), Memory()])
    backend.ids = {"service": "earlier", "other": "1"}
    backend.open("run")
    assert backend.ids == {"service": "mine", "other": "1"}
    alone = FanOut(Memory(fails=("open",)))
    alone.ids = {"service": "earlier"}
    with pytest.warns(RenderWarning, match="open fails"):
        alone.open("run")
    assert alone.ids == {"service": "earlier"}


def test_all_are_closed_where_a_ctrl_c_ends_the_making_of_the_page():
    class Page(Memory):
        takes_run_page = True

        def run_page(self):
            raise KeyboardInterrupt

    first, last = Memory(), Page()
    backend = FanOut([first, last])
    backend.open("run")
    with pytest.raises(KeyboardInterrupt):
        backend.close()
    assert first.methods()[-1] == last.methods()[-1] == "close"
