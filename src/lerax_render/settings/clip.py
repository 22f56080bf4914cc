"""The settings of a clip: those of its frames, and how it is made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from .checks import check_episodes
from .declarations import Text, between, described
from .picture import Picture
from .texts import (
    parsed_caption,
    parsed_grid,
    parsed_lines,
    parsed_moment,
    parsed_pick,
    parsed_seconds,
    parsed_size,
)

DEFAULT_STEPS = 256
"""Number of steps of a clip where nobody says otherwise."""

type FormatName = Literal[
    "mp4",
    "mov",
    "m4v",
    "webm",
    "gif",
    "webp",
    "apng",
    "png",
    "html",
    "glb",
    "replay",
    "npz",
    "png16",
]
type CodecName = Literal["h264", "h265", "vp9", "av1"]
type FilePixelFormat = Literal["yuv420p", "yuv444p"]
type PresetName = Literal["docs", "readme", "social", "x", "slides", "paper"]
type LineName = Literal["step", "time", "reward", "return", "episode"]
type Count = Annotated[int, between(1, 10**9)]
type Rate = Annotated[float | Fraction, between(0.01, 1000, "frames a second")]
type ByteSize = Annotated[int, between(1, unit="bytes"), Text("SIZE", parsed_size, "10MB")]
type Moment = Annotated[
    Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0)],
    described("a step, as a whole number, or seconds, as a fraction or a text such as 1.5s"),
    Text("STEP", parsed_moment, "1.5s"),
]
type Seconds = Annotated[float, between(0, 3600, "seconds"), Text("SECONDS", parsed_seconds, "1s")]
type Words = Annotated[str, Meta(pattern=r"\S", description="a text"), Text("TEXT", parsed_lines)]
type RankName = Literal["best", "worst", "median"]
type EpisodeNumber = Annotated[int, Meta(ge=0)]
type Pick = Annotated[
    RankName | EpisodeNumber,
    described("best, worst, median, or an episode's number, from 0"),
    Text("EPISODE", parsed_pick, "best"),
]
type TileCount = Annotated[int, between(1, 100)]
type GridShape = Annotated[
    tuple[TileCount, TileCount],
    described("rows and columns, 1 to 100 each"),
    Text("ROWSxCOLUMNS", parsed_grid, "2x3"),
]
type Poster = Annotated[str, Meta(min_length=1, description="a file's path"), Text("FILE")] | Path
type PlotName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z_]+(\[\d{1,6}(:\d{1,6})?\])?$",
        description="a value such as return, obs, obs[3] or qpos[0:2]",
    ),
    Text("VALUE"),
]


@dataclass(frozen=True, kw_only=True)
class Settings(Picture):
    """How a clip is made, whoever acts in it; `Clip` has all of a clip's settings."""

    steps: Count | None = None
    """Number of steps (default 256, or all of a replay). With a preset, some have no frame."""

    start: Moment | None = None
    """The first step that is shown, or its time such as 1.5s (default: the first)."""

    stop: Moment | None = None
    """The step, or its time such as 3s, before which the clip ends (default: after the last)."""

    episodes: Count | None = None
    """Length of the clip in whole episodes, instead of in steps (default: steps decides)."""

    pick: Sequence[Pick] | Callable[[Any], Sequence[int]] = ()
    """Which whole episodes are shown, out of many that are run: some of best, worst, median and
    numbers from 0; one after the other, or side by side in a grid (default: none is picked)."""

    of: Count | None = None
    """Number of episodes that are run to pick from (default 100, or all whole ones of a replay)."""

    max_steps: Count | None = None
    """Number of actions after which an episode is cut short, for pick and episodes (default
    1000)."""

    speed: Annotated[float, between(0.01, 100)] = 1.0
    """How much faster than it happened the clip plays: 0.25 is slow motion, a quarter, with frames
    between the steps."""

    fps: Rate | None = None
    """Frames a second (default: real time, or 50 where the environment has no dt)."""

    format: FormatName | None = None
    """File format (default: by the output's suffix). png is a sequence of pictures, html a page to
    look around in, replay what was captured, to be recorded later, npz the modalities as arrays,
    png16 a sequence with depth in millimetres, or segmentation, as 16-bit numbers."""

    deterministic: bool = False
    """The policy's most likely action at each step, instead of a sampled one."""

    overlay: bool | Sequence[LineName | Callable[[Any], str]] = False
    """Text on the frames: some of step, time, reward, return and episode; alone, step, return and
    episode."""

    plot: Sequence[PlotName] = ()
    """Curves beside the picture, a plot for each: reward, return, action, obs, and of MuJoCo qpos,
    qvel, act, ctrl and so on, all of them or some, such as obs[3] or qpos[0:2]."""

    grid: GridShape | None = None
    """Rows and columns of a picture with that many rollouts in it, such as 2x3 (default: one
    rollout, no grid)."""

    labels: Sequence[str] = ()
    """Texts on the tiles of the grid, one for each, row by row."""

    title: Words | None = None
    """Text on a card before the clip, which stays for two seconds or, a long one, as long as it
    takes to read; what comes after a line break is smaller. Of a page it is the heading."""

    captions: Sequence[Words] = ()
    """Texts at the lower edge of the picture, each with the steps or seconds it is there for, such
    as "step 0–50: reaching", "1s–2.5s: reaching" or "step 50–: there"; without them, it stays."""

    preset: PresetName | None = None
    """Settings for a place: docs (a WebP, or a GIF where the output ends in .gif, 480 wide, 20 fps,
    up to 10 MB), readme (the same up to 1 MB), social or x (an MP4, 1280x720), slides (an MP4,
    1920x1080, which PowerPoint and Keynote play) or paper (lossless pictures, or a lossless video,
    1280x960)."""

    max_size: ByteSize | None = None
    """Size limit, such as 5MB (default: the preset's, or none). To meet it, the clip gets a lower
    quality, then fewer frames, fewer pixels and, a GIF, fewer colours."""

    codec: CodecName | None = None
    """Codec of an MP4 (h264, h265, vp9, av1), MOV (h264, h265) or WebM (vp9, av1); h264 and, in
    WebM, vp9 are played everywhere (default: these)."""

    crf: Annotated[int, between(0, 63)] | None = None
    """Constant rate factor of a video: lower is better and larger; h264 and h265 end at 51
    (default: 20 for h264, 18 for drawings in h264, 24 for h265, 30 for vp9 and av1)."""

    lossless: bool = False
    """Keep the frames bit for bit, as RGB, or as they are in the pixel format that is given. Few
    players show such an MP4, MOV or WebM, and GIF cannot hold them."""

    pixel_format: FilePixelFormat | None = None
    """Pixel format of a video: yuv444p has sharper colours, and QuickTime and old players do not
    show it (default: yuv420p; RGB where lossless)."""

    loop: Annotated[int, between(0, 65_535)] | None = None
    """How often a GIF, WebP or APNG plays; 0 is for ever (default: for ever)."""

    bounce: bool = False
    """The clip plays forwards and then backwards, so that it loops without a jump."""

    freeze_end: Seconds = 0.0
    """How many seconds longer the last frame stays, such as 1s (default 0)."""

    poster: Poster | None = None
    """File for the first frame as a picture, *.png or *.jpg (default: none)."""

    workers: Annotated[int, between(1, 1000)] = field(default=1, compare=False)
    """MuJoCo without a GPU: number of processes that paint (default 1). The frames are the same."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for text in self.captions:
            parsed_caption(text)
        check_episodes(self.steps, self.episodes, self.pick, self.of, self.max_steps)
        for name, several in (("cameras", self.cameras), ("modalities", self.modality)):
            if self.grid is not None and len(several) > 1:
                raise ValueError(
                    f"there are {len(several)} {name} and a grid of "
                    f"{self.grid[0]}x{self.grid[1]}: a picture has one of the two"
                )

    @property
    def length(self) -> int:
        """Number of steps, where no replay has fewer."""
        if self.steps is None and isinstance(self.stop, int):
            return self.stop
        return DEFAULT_STEPS if self.steps is None else self.steps
