"""Environment and policy in, clip out: the public verb."""

import os
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

from .compose import Line
from .errors import RenderError, warn
from .making import name_of, record_clip
from .replay import Episodes
from .settings import (
    CodecName,
    FilePixelFormat,
    FormatName,
    LightName,
    ModalityName,
    PresetName,
    QualityName,
    RankName,
    Settings,
    ShownName,
)

if TYPE_CHECKING:
    from .acting import Key


def record(
    env: Any,
    policy: Any | None = None,
    path: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    steps: int | None = None,
    start: int | float | None = None,
    stop: int | float | None = None,
    episodes: int | None = None,
    pick: Sequence[RankName | int] | Callable[[Episodes], Sequence[int]] = (),
    of: int | None = None,
    max_steps: int | None = None,
    speed: float = 1.0,
    key: "Key" = None,
    width: int | None = None,
    height: int | None = None,
    fps: float | Fraction | None = None,
    camera: Any | None = None,
    inset: bool = False,
    modality: Sequence[ModalityName] = ("color",),
    max_depth: float | None = None,
    quality: QualityName = "auto",
    background: str | None = None,
    light: LightName | None = None,
    show: Sequence[ShownName] = (),
    hide: Sequence[ShownName] = (),
    color: Mapping[str, str] | None = None,
    trail: Sequence[str | int] = (),
    ghost: Any = (),
    decorate: Callable[[Any, int], None] | None = None,
    format: FormatName | None = None,
    deterministic: bool = False,
    overlay: bool | Sequence[Line] = False,
    plot: Sequence[str] = (),
    grid: tuple[int, int] | None = None,
    labels: Sequence[str] = (),
    title: str | None = None,
    captions: Sequence[str] = (),
    preset: PresetName | None = None,
    max_size: int | None = None,
    codec: CodecName | None = None,
    crf: int | None = None,
    lossless: bool = False,
    pixel_format: FilePixelFormat | None = None,
    loop: int | None = None,
    bounce: bool = False,
    freeze_end: float = 0.0,
    poster: str | os.PathLike[str] | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Any:
    """Record a policy in an environment, or a replay: as a video, a page, or a replay's file.

    One frame a step, the first and the terminal state of each episode included; when an episode
    ends, the next frame is the first of the next episode.

        lr.record(env, policy, "clip.mp4")
        lr.record(lr.capture(env, policy), "clip.mp4")  # the same frames
        lr.record([replay, other], "both.mp4", labels=("before", "after"))
        lr.record(env, policy, "clip.html")  # a page to look around in
        lr.record(env, policy, "clip.replay")  # what was captured, for later

    Args:
        env: A Lerax environment, wrapped or not, Gymnasium's and Gymnax's in Lerax's wrappers
            included; a Gymnasium environment, which is itself reset and stepped; a `Simulation`;
            the name of an environment, as the command line takes it (`"CartPole"`, `"robot.xml"`,
            `"clip.replay"`); a `Replay`, or several of them, which become tiles.
        policy: A Lerax policy. `None` samples actions from the action space. With a grid, it may be
            a sequence of policies that differ only in their parameters, one a tile. A replay has
            none: then the path comes second.
        path: Where the clip goes: a file, a pattern such as `frame_%05d.png`, or a binary buffer.
            `None` keeps it in memory. An existing file is replaced once the new one is whole, and
            stays as it was if anything fails.
        steps: Number of steps (default 256; of a replay, all).
        start: The first step that is shown, a whole number; or its time in seconds, a float. What
            came before counts in rewards and episodes all the same.
        stop: The step or the time before which the clip ends, likewise.
        episodes: Number of whole episodes that the clip is long, instead of `steps`; with a grid,
            in each tile.
        pick: Which whole episodes are shown, out of many that are run: some of `"best"`,
            `"worst"`, `"median"` (by return) and numbers from 0; or a function that takes the
            [`Episodes`][lerax_render.Episodes] that were run and returns the numbers of those to
            show. One after the other or, with a grid, side by side, with return, rank and length
            written on each. They are run in batches of lanes and shown as they were counted.
        of: Number of episodes that are run to pick from (default 100; of a replay, all whole ones).
        max_steps: Number of actions after which an episode is cut short, for `pick` and `episodes`
            (default 1000).
        speed: How much faster than it happened the clip plays: 0.25 is slow motion, a quarter, with
            frames between the steps where they can be painted.
        key: A JAX PRNG key, or a seed for one (default 0).
        width: Picture width in pixels, 1 to 16384 (default 640, or the preset's).
        height: Picture height in pixels, 1 to 16384 (default 480, or the preset's).
        fps: Frames a second (default: real time, one over the environment's `dt` in seconds, or 50
            where it has none).
        camera: MuJoCo only: a camera's name or number, a `Camera`, or a `mujoco.MjvCamera`
            (default: one that looks at what happens). Several, as a list, share the picture;
            `"model"` stands for all that the model has.
        inset: Whether the first camera fills the picture, with the others small in its corner.
        modality: MuJoCo only: `"color"`, `"depth"` (white at 0 m, black at `max_depth`) or
            `"segmentation"` (a colour for each thing); several share the picture.
        max_depth: Metres that are black in a depth picture (default: twice as far as the
            middle of the model as it begins, or a little more).
        quality: MuJoCo only: `"auto"`, `"draft"`, `"standard"`, `"high"`, or `"cinematic"`, which
            MuJoCo's Filament renderer draws through Vulkan; without a GPU, a few frames a second.
        background: MuJoCo: `"studio"` (a sky, and a ground and a light where the model has none), a
            colour (`"white"`, `"#e0e8f0"`), or `"as-is"` (default: studio for a model with neither
            a light of its own nor a skybox, else as-is). `"cinematic"` has its own. In 2D, too:
            `"transparent"`, an alpha channel, in WebM, WebP, APNG and PNG: of what is the sky, or
            what 2D pictures are cleared to.
        light: MuJoCo only: `"studio"` (a sun and some light from everywhere instead of the model's
            own) or `"as-is"` (default: studio for a model without a light of its own, where the
            background is studio or transparent).
        show: MuJoCo only: what is shown besides the usual, such as `"contacts"`, `"forces"`,
            `"joints"`, `"collision"` or `"labels"`; a wrong name is answered with all of them.
        hide: MuJoCo only: what of the usual is not shown, by the same names.
        color: MuJoCo only: colours of bodies or single geoms by name, `{"torso": "red"}`.
        trail: MuJoCo only: bodies, by name or number, whose way in the episode is drawn as a line.
        ghost: A `Replay`, the path of its file, or several, which are seen in the same picture,
            translucent, and framed with it: of a MuJoCo model, or of the same 2D environment. They
            start with the clip; one that is shorter stays at its last step.
        decorate: MuJoCo only: called as `decorate(scene, step)` before each frame is drawn, to add
            geoms to the `mujoco.MjvScene`; `step` counts the clip's steps from 0.
        format: `"mp4"`, `"mov"`, `"m4v"`, `"webm"`, `"gif"`, `"webp"`, `"apng"` or `"png"` (a
            sequence); or `"html"`, a page to look around in, `"glb"`, a glTF file, or `"replay"`,
            what was captured. `None` takes it from the path's suffix, and MP4 where there is no
            path.
        deterministic: Whether the policy takes its most likely action instead of a sampled one.
        overlay: Text on the frames: `True`, or what to write, top to bottom, out of `"step"`,
            `"time"`, `"reward"`, `"return"`, `"episode"` and functions from `overlay.StepInfo` to
            text. A thin line at the upper edge marks the end of an episode.
        plot: Curves that grow as the clip plays, a plot for each value: `"reward"`, `"return"`,
            `"action"`, `"obs"`, and of MuJoCo `"qpos"`, `"qvel"`, `"act"`, `"ctrl"`, `"mocap_pos"`,
            `"mocap_quat"` and `"xfrc_applied"`; some of their numbers as `"obs[3]"` or
            `"qpos[0:2]"`. They are below the picture, or right of a wide one, and leave less room
            to it. In a grid, each tile has a curve in one colour.
        grid: Rows and columns of a picture with that many rollouts in it, which advance together in
            one compiled, vmapped scan; Gymnasium's environments and simulations one by one, with
            the seeds that follow. Each has a key of its own and restarts on its own. For several
            replays: nearly square where `None`.
        labels: A text for each tile of the grid, row by row.
        title: A text on a card before the clip, which stays for two seconds or as long as it takes
            to read; what comes after a line break is smaller. Of a page it is the heading.
        captions: Texts at the lower edge of the picture, each with the steps or seconds that it is
            there for: `"step 0–50: reaching"`, `"1s–2.5s: reaching"`, `"step 50–: there"`; without
            them, it stays. Steps count from 0, and the last of a range is not in it.
        preset: Settings for a place that clips are shown in: `"docs"` and `"readme"`, WebPs (or
            GIFs, where the path or the format says so) that keep to a size; `"social"` and `"x"`;
            `"slides"`, which PowerPoint and Keynote play; `"paper"`, lossless; see
            `video.PRESETS`. Of steps that come faster than its frames some are left out, so that
            the clip still plays in real time.
        max_size: Bytes at most, instead of the preset's own limit. To meet it, the clip gets a
            lower quality, then fewer frames, fewer pixels and, a GIF, fewer colours.
        codec: `"h264"`, `"h265"`, `"vp9"` or `"av1"`, of the formats that hold it (default: VP9 in
            WebM, else H.264).
        crf: Constant rate factor of a video, 0 (best) to 51 for H.264 and H.265, to 63 for VP9 and
            AV1 (default 20, 24, 30, 30; H.264 takes 18 for drawings, such as 2D environments).
        lossless: Whether the file keeps the frames bit for bit, as RGB, or as they are in the
            `pixel_format` that is given. GIF cannot.
        pixel_format: `"yuv420p"` or `"yuv444p"` of a video (default yuv420p).
        loop: How often a GIF, WebP or APNG plays, 0 for ever (default 0).
        bounce: Whether it plays forwards and then backwards. What was captured is kept for that,
            and painted again.
        freeze_end: Seconds that the last frame stays in addition.
        poster: A file for the first frame as a picture, `*.png` or `*.jpg`.
        workers: MuJoCo only: how many processes paint, each with a GL context of its own; with 1,
            this process does. The pictures are the same. It is for many cores without a GPU: on
            two, Mesa's software GL fills both by itself, and two processes gain little or nothing.
        progress: Called with the number of steps that are done since the last call. If it has a
            method `say`, that is called with a line on what takes long before the first of them,
            such as "compiling Hopper, about a minute the first time", from another thread, and
            with an empty one when it is over.

    Returns:
        The clip, a `Video`; of a format that is no video, an `Output`. With `pick`, its `episodes`
        have the returns and lengths of all that were run.

    Raises:
        ValueError, TypeError: An argument is wrong, or makes no difference in this format; nothing
            was computed or written.
        UnsupportedEnvError: Nothing here can draw this environment, or it paints its pictures
            itself and the format needs what they are painted of.
        BackendUnavailableError: No GL platform works, or a package is missing.
        EncodeError: ffmpeg or the disk failed; no partial file is left.
    """
    settings = Settings(
        steps=steps,
        start=start,
        stop=stop,
        episodes=episodes,
        pick=pick,
        of=of,
        max_steps=max_steps,
        speed=speed,
        width=width,
        height=height,
        fps=fps,
        camera=camera,
        inset=inset,
        modality=modality,
        max_depth=max_depth,
        quality=quality,
        background=background,
        light=light,
        show=show,
        hide=hide,
        color=color,
        trail=trail,
        ghost=ghost,
        decorate=decorate,
        format=format,
        deterministic=deterministic,
        overlay=overlay,
        plot=plot,
        grid=grid,
        labels=labels,
        title=title,
        captions=captions,
        preset=preset,
        max_size=max_size,
        codec=codec,
        crf=crf,
        lossless=lossless,
        pixel_format=pixel_format,
        loop=loop,
        bounce=bounce,
        freeze_end=freeze_end,
        poster=None if poster is None else os.fspath(poster),
        workers=workers,
    )
    return record_clip(env, policy, path, settings, key=key, progress=progress)


def try_record(env: Any, *arguments: Any, **options: Any) -> Any:
    """Like `record`, but a failure is a warning, so that a program that records goes on.

    Returns:
        The clip, or `None` after one `RenderWarning` that names the cause and the remedy.
    """
    try:
        return record(env, *arguments, **options)
    except Exception as error:
        remedy = (
            ""
            if isinstance(error, RenderError | ValueError | TypeError)
            else (". record(...) with the same arguments raises it with its traceback")
        )
        warn(f"no video of {name_of(env)}: {type(error).__name__}: {error}{remedy}")
        return None
