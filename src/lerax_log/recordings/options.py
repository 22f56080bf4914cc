"""What a user may choose about the recordings of a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from lerax_render.settings import Picture, Settings, check_picks, check_room

from ..traced import Report

type RecordWhen = Literal["always", "best"] | Callable[[dict[str, float]], bool]


@dataclass(frozen=True)
class EvalOptions:
    """How a policy is evaluated beside its training.

    Attributes:
        episodes: Number of whole episodes.
        interval: Iterations from one evaluation to the next.
        deterministic: Whether the policy takes its most likely action.
        max_steps: Number of actions after which an episode is cut short.
        seed: Of each evaluation; `None` is another one each time.
        pick: Which of the episodes are recorded, as for `lerax_render.record`; empty for none.
    """

    episodes: int
    interval: int
    deterministic: bool
    max_steps: int
    seed: int | None
    pick: Any = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self | None:
        """Return what a callback's arguments say, by their names; `None` for no evaluation.

        Raises:
            ValueError: They contradict each other.
        """
        episodes, pick = given["eval_episodes"], given["video_pick"]
        if episodes is None:
            for name in ("eval_interval", "eval_seed", "video_pick"):
                if given[name] not in (None, ()):
                    raise ValueError(
                        f"{name} is about evaluations: give eval_episodes, how many whole episodes "
                        "one has"
                    )
            return None
        interval = given["eval_interval"] or given["video_interval"]
        if not interval:
            raise ValueError(
                f"eval_episodes is {episodes}: give eval_interval, the iterations from one "
                "evaluation to the next, or video_interval"
            )
        if pick and interval != given["video_interval"]:
            raise ValueError(
                "video_pick records episodes of evaluations, which are made with recordings: give "
                "video_interval, and leave eval_interval out"
            )
        check_picks(pick, episodes)
        return cls(
            episodes,
            interval,
            given["eval_deterministic"],
            given["eval_max_steps"],
            given["eval_seed"],
            pick,
        )

    def is_due(self, report: Report) -> bool:
        """Whether an evaluation after this iteration is due."""
        return _is_due(self.interval, report)


@dataclass(frozen=True)
class VideoOptions:
    """When and how a run is recorded.

    Attributes:
        interval: Iterations from one recording to the next; 0 records nothing.
        clip: What clips look like: `steps` or `pick` and `of`, `fps`, `overlay`, `grid` and the
            picture.
        keep: Whether replays, and clips as MP4 files, are kept in the run's folder.
        record_when: Which of the recordings that are due are made.
        time_limit: Seconds that a recording may take.
        policies: Whether the policy's parameters are kept, too.
        most_bytes: Of all that is kept.
        block: Whether each is painted before the next.
        finish_seconds: How long painting may go on when the run is closed.
        evaluation: How the policy is evaluated, or `None`.
    """

    interval: int
    clip: Settings
    keep: bool = True
    record_when: RecordWhen = "always"
    time_limit: float = float("inf")
    policies: bool = False
    most_bytes: float = float("inf")
    block: bool = False
    finish_seconds: float = float("inf")
    evaluation: EvalOptions | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any], interval: int, evaluation: EvalOptions | None) -> Self:
        """Return them from the keywords of a callback.

        Raises:
            ValueError: Something is said of the picture twice, or does not go together.
        """
        time_limit, finish = options["video_time_limit"], options["video_finish_s"]
        return cls(
            interval=interval,
            clip=_clip(options, evaluation),
            keep=options["video_keep"],
            record_when=options["record_when"],
            time_limit=float("inf") if time_limit is None else time_limit,
            policies=options["video_policy"],
            most_bytes=options["video_most_bytes"],
            block=options["video_mode"] == "block",
            finish_seconds=float("inf") if finish is None else finish,
            evaluation=evaluation,
        )

    def is_due(self, report: Report) -> bool:
        """Whether a recording of this iteration is due."""
        return _is_due(self.interval, report)


def _is_due(interval: int, report: Report) -> bool:
    """Whether what is done every `interval` iterations is; 0 is never."""
    if not interval:
        return False
    return report.iteration % interval == 0 or report.iteration == report.last_iteration


def _clip(options: Mapping[str, Any], evaluation: EvalOptions | None) -> Settings:
    picture = options["video_picture"]
    given = {
        name: options[f"video_{name}"]
        for name in ("width", "height", "camera", "background")
        if options[f"video_{name}"] is not None
    }
    if picture is not None:
        for name, value in given.items():
            if getattr(picture, name) not in (None, value):
                raise ValueError(
                    f"video_{name}={value!r} was given, and video_picture has "
                    f"{name}={getattr(picture, name)!r}: leave one of them out"
                )
        given = {each.name: getattr(picture, each.name) for each in fields(Picture)} | given
    length: dict[str, Any] = {"steps": options["video_num_steps"]}
    if evaluation is not None and evaluation.pick and not callable(evaluation.pick):
        check_room(options["video_grid"], len(evaluation.pick), "episodes that are picked")
        length = {"pick": evaluation.pick, "of": evaluation.episodes}
    return Settings(
        **given,
        **length,
        fps=options["video_fps"],
        overlay=options["video_overlay"],
        grid=options["video_grid"],
    )
