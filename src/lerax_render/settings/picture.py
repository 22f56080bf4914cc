"""The settings of a frame and of a clip: each declared once, a field with its type and docstring.

A new setting is a field here and the code that uses it. Keywords, options of the command line and
keys of manifests are derived from the fields (`checks`, `cli.options`, `gallery.manifest`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

from msgspec import Meta

from .checks import check_episodes, check_fields
from .declarations import Text, between, described
from .texts import (
    BACKGROUND,
    TRANSPARENT,
    parsed_camera,
    parsed_caption,
    parsed_colour,
    parsed_grid,
    parsed_lines,
    parsed_moment,
    parsed_pick,
    parsed_seconds,
    parsed_size,
)

DEFAULT_WIDTH, DEFAULT_HEIGHT = 640, 480
"""Size of a picture in pixels where nobody says otherwise."""

MAX_SIZE = 16_384
"""Largest width and height of a picture, in pixels."""

DEFAULT_STEPS = 256
"""Number of steps of a clip where nobody says otherwise."""

ALL_CAMERAS = "model"
"""In the place of a camera: all that the model has."""

type PixelFormat = Literal["rgb24", "bgr0", "rgba", "bgra"]
type QualityName = Literal["auto", "draft", "standard", "high", "cinematic"]
type ShownName = Literal[
    "contacts",
    "contact-forces",
    "forces",
    "joints",
    "com",
    "inertia",
    "transparent",
    "collision",
    "visual",
    "floor",
    "labels",
    "sites",
    "tendons",
    "actuators",
    "cameras",
    "lights",
    "constraints",
    "rangefinders",
    "convex-hulls",
    "textures",
    "skins",
    "shadows",
    "reflections",
    "skybox",
    "wireframe",
    "fog",
    "haze",
]
type ModalityName = Literal["color", "depth", "segmentation"]
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

type Pixels = Annotated[int, between(1, MAX_SIZE, "pixels")]
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
type CameraName = Annotated[str, Meta(min_length=1, description="a camera's name")]
type CameraNumber = Annotated[int, Meta(ge=0, description="its number")]
type Background = Annotated[
    str,
    Meta(
        pattern=BACKGROUND,
        description="studio, as-is, #rrggbb, or the name of a basic colour such as white",
    ),
    Text("BACKGROUND"),
]
type AnyBackground = Annotated[
    str,
    Meta(
        pattern=f"{BACKGROUND}|^{TRANSPARENT}$",
        description="studio, as-is, transparent, #rrggbb, or the name of a basic colour such as "
        "white",
    ),
    Text("BACKGROUND"),
]
type LightName = Literal["studio", "as-is"]
type BodyName = Annotated[str, Meta(min_length=1, description="a body's name")]
type Poster = Annotated[str, Meta(min_length=1, description="a file's path"), Text("FILE")] | Path
type Ghost = (
    Annotated[
        str, Meta(min_length=1, description="a replay or the path of its file"), Text("REPLAY")
    ]
    | Path
    | ReplayLike
)
type Ghosts = Annotated[
    Sequence[Ghost] | Ghost, Meta(description="a replay, the path of its file, or a list of them")
]
type PlotName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z_]+(\[\d{1,6}(:\d{1,6})?\])?$",
        description="a value such as return, obs, obs[3] or qpos[0:2]",
    ),
    Text("VALUE"),
]
type BodyNumber = Annotated[int, Meta(ge=0, description="its number")]


@dataclass(frozen=True)
class Camera:
    """A free camera. What is `None` is chosen so that the robot is well in the picture.

    Raises:
        ValueError: Both `lookat` and `track` are given, or a number is out of range.
        TypeError: A value is of another type.
    """

    azimuth: float | None = None
    """Degrees around the vertical: 0 looks along +x, 90 along +y."""

    elevation: float | None = None
    """Degrees above the horizon that the camera looks: -90 looks straight down."""

    distance: Annotated[float, Meta(gt=0, extra={"unit": "metres"})] | None = None
    """Metres from the point looked at."""

    lookat: tuple[float, float, float] | None = None
    """The point looked at, x, y, z in metres; the camera then stands still."""

    track: BodyName | BodyNumber | None = None
    """A body, by name or number, which the camera follows: the point looked at is the centre of
    mass of that body and its children."""

    def __post_init__(self) -> None:
        check_fields(self)
        if self.lookat is not None and self.track is not None:
            raise ValueError("a camera takes lookat (stand still) or track (follow), not both")


@runtime_checkable
class MjvCamera(Protocol):
    """A `mujoco.MjvCamera`, told by its attributes: to name the class needs MuJoCo."""

    fixedcamid: int
    trackbodyid: int


@runtime_checkable
class ReplayLike(Protocol):
    """A `Replay`, which lies above."""

    scene: Any
    captured: Any
    seconds_per_step: float | None


type CameraLike = Annotated[
    CameraName | CameraNumber | Camera | MjvCamera, Text("CAMERA", parsed_camera)
]


def proportional(
    width: int | None, height: int | None, usual_width: int, usual_height: int
) -> tuple[int, int]:
    """Return width and height in pixels; of two, one that is not given keeps the proportion."""
    if width is None and height is None:
        return usual_width, usual_height
    if width is None:
        width = max(1, round(usual_width * (height or 0) / usual_height))
    if height is None:
        height = max(1, round(usual_height * width / usual_width))
    return width, height


_MUJOCO_ONLY = {
    "camera": "no camera to choose",
    "background": "a background of its own",
    "light": "no light",
    "show": "no parts that are shown or hidden",
    "hide": "no parts that are shown or hidden",
    "color": "colours of its own",
    "trail": "no bodies",
    "decorate": "no mujoco.MjvScene",
    "inset": "no cameras to choose",
    "modality": "nothing to measure",
    "max_depth": "no depth",
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What a frame looks like, whatever it shows.

    Raises:
        ValueError, TypeError: A setting is not what its type accepts.
    """

    width: Pixels | None = None
    """Picture width in pixels (default 640, or the preset's; in proportion to a height
    that is given alone)."""

    height: Pixels | None = None
    """Picture height in pixels (default 480, or the preset's; in proportion to a width
    that is given alone)."""

    camera: CameraLike | Annotated[Sequence[CameraLike], Meta(min_length=1)] | None = None
    """MuJoCo only: name or number of a camera of the model's, or settings of a free one such as
    azimuth=90,elevation=-20,distance=4 (default: one that looks at what happens). Several share the
    picture; model stands for all that the model has."""

    inset: bool = False
    """The first camera fills the picture, and the others are small in its corner."""

    modality: Annotated[Sequence[ModalityName], Meta(min_length=1)] = ("color",)
    """MuJoCo only: what is seen: color, depth (white at 0 m, black at max_depth) or segmentation (a
    colour for each thing); several share the picture (default: color)."""

    max_depth: Annotated[float, Meta(gt=0, extra={"unit": "metres"})] | None = None
    """Metres that are black in a depth picture (default: twice as far as the middle of the model
    as it begins, or a little more)."""

    quality: QualityName = "auto"
    """MuJoCo only: how much work goes into a frame (default auto: high on a GPU, else standard).
    cinematic needs Vulkan and, without a GPU, a second for every few frames."""

    background: AnyBackground | None = None
    """MuJoCo: studio, a sky, with a ground and a light where the model has none; as-is, what MuJoCo
    draws; or a colour, such as white or #e0e8f0 (default: studio for a model with neither a light
    of its own nor a skybox, else as-is). cinematic has its own. In 2D, too: transparent, an alpha
    channel, in WebM, WebP, APNG and PNG."""

    light: LightName | None = None
    """MuJoCo only: studio, a sun and some light from everywhere instead of the model's own; as-is,
    what the model has (default: studio for a model without a light of its own, where the
    background is studio or transparent)."""

    show: Sequence[ShownName] = ()
    """MuJoCo only: what is shown besides the usual, by MuJoCo's names. collision and visual are the
    groups of geoms that are for one of the two alone; forces are those of contacts and those
    applied to bodies."""

    hide: Sequence[ShownName] = ()
    """MuJoCo only: what of the usual is not shown, by the names of show, such as floor."""

    trail: Sequence[BodyName | BodyNumber] = ()
    """MuJoCo only: bodies, by name or number, whose way in the episode is drawn as a line."""

    ghost: Ghosts = ()
    """Other replays, which are seen in the same picture, translucent: of a MuJoCo model, or of the
    same 2D environment. They start with the clip; one that is shorter stays at its last step."""

    decorate: Callable[[Any, int], None] | None = field(default=None, metadata={"written": False})
    """MuJoCo only: called with the mujoco.MjvScene and the number of the step before each frame is
    drawn, to add geoms to it."""

    color: Mapping[str, str] | None = field(default=None, hash=False)
    """MuJoCo only: colours of bodies or single geoms by name, such as torso=red or torso=#e04020;
    they replace materials and textures."""

    def __post_init__(self) -> None:
        check_fields(self)
        for name, colour in (self.color or {}).items():
            try:
                parsed_colour(colour)
            except (TypeError, ValueError) as error:
                raise ValueError(f"color of {name}: {error}") from None
        if self.is_transparent:
            for name, usual in (("modality", ("color",)), ("quality", self.quality)):
                given = getattr(self, name)
                if given != usual or given == "cinematic":
                    raise ValueError(
                        f"{name}={given!r} has no transparent background: leave {name} out, or "
                        "the background"
                    )
        width, height = self.size
        # What ffmpeg takes for a picture at most, in `av_image_check_size`.
        if (width + 128) * (height + 128) >= 2**31 // 8:
            raise ValueError(
                f"a picture of {width}x{height} pixels is larger than any that ffmpeg encodes, "
                "about 16,000x16,000; choose a smaller width or height"
            )

    def check_not_mujoco(self, kind: str) -> None:
        """Raise `ValueError` where something was given that only pictures of MuJoCo have.

        Args:
            kind: What the picture is of, such as "a 2D environment".
        """
        for name, instead in _MUJOCO_ONLY.items():
            given = getattr(self, name)
            # Camera 0 is one, and nothing to show is nothing.
            if given is not None and given not in ((), {}, ("color",)) and given is not False:
                raise ValueError(
                    f"{name}={given!r} was given, but {kind} has {instead}; leave {name} out"
                )

    @property
    def is_transparent(self) -> bool:
        """Whether frames have an alpha channel."""
        return self.background == TRANSPARENT

    @property
    def ghosts(self) -> tuple[Any, ...]:
        """The ghosts, also where there is one by itself."""
        return self.ghost if isinstance(self.ghost, tuple) else (self.ghost,)

    @property
    def cameras(self) -> tuple[Any, ...]:
        """The camera, or all where there are several."""
        return self.camera if isinstance(self.camera, tuple) else (self.camera,)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; one that is not given keeps the proportion of the default."""
        return proportional(self.width, self.height, DEFAULT_WIDTH, DEFAULT_HEIGHT)


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
    """Number of whole episodes that the clip is long, instead of steps (default: steps count)."""

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
    (default: 20 for h264, 24 for h265, 30 for vp9 and av1)."""

    lossless: bool = False
    """The file has the frames to the bit, as RGB; with a pixel format, as they are in that. Few
    players show such an MP4, MOV or WebM, and GIF cannot."""

    pixel_format: FilePixelFormat | None = None
    """Pixel format of a video: yuv444p has sharper colours, and QuickTime and old players do not
    show it (default: yuv420p; RGB where lossless)."""

    loop: Annotated[int, between(0, 65_535)] | None = None
    """How often a GIF, WebP or APNG plays; 0 is for ever (default: for ever)."""

    bounce: bool = False
    """The clip plays forwards and then backwards, so that it goes round without a jump."""

    freeze_end: Seconds = 0.0
    """Seconds that the last frame stays in addition, such as 1s (default 0)."""

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
