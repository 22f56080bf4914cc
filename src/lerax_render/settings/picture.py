"""The settings of a frame: each declared once, a field with its type and docstring.

Those of a clip are in `clip`. A new setting is a field here or there, and the code that uses it.
Keywords, options of the command line and keys of manifests are derived from the fields (`checks`,
`cli.options`, `gallery.manifest`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

from msgspec import Meta

from .checks import check_fields, quoted
from .declarations import Text, between
from .texts import (
    BACKGROUND,
    TRANSPARENT,
    parsed_body,
    parsed_camera,
    parsed_colour,
)

DEFAULT_WIDTH, DEFAULT_HEIGHT = 640, 480
"""Size of a picture in pixels where nobody says otherwise."""

MAX_SIZE = 16_384
"""Largest width and height of a picture, in pixels."""

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

type Pixels = Annotated[int, between(1, MAX_SIZE, "pixels")]
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
type BodyNumber = Annotated[int, Meta(ge=0, description="its number")]
type Body = Annotated[BodyName | BodyNumber, Text("BODY", parsed_body)]


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
    """Distance in metres that is black in a depth picture (default: twice as far as the middle of
    the model at the start, or a little more)."""

    quality: QualityName = "auto"
    """MuJoCo only: how much work goes into a frame (default auto: high on a GPU, else standard).
    cinematic needs Vulkan and, without a GPU, a second for every few frames."""

    background: AnyBackground | None = None
    """MuJoCo: studio, a sky, with a ground and a light where the model has none; as-is, what MuJoCo
    draws; or a colour, such as white or #e0e8f0 (default: studio for a model with neither a light
    of its own nor a skybox, else as-is). cinematic has its own. In 2D, too: transparent, an alpha
    channel, in WebM, WebP, APNG, PNG and figures."""

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

    trail: Sequence[Body] = ()
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
                raise ValueError(f"color of {quoted(name)}: {error}") from None
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
