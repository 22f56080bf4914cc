"""What is known of a training before it begins."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..backends import HParam
from ..traced import Skeleton


@dataclass(frozen=True, eq=False)
class Start:
    """What is known of a training when its `learn` is traced.

    Attributes:
        algorithm: Name of the algorithm.
        policy: Name of the policy.
        env: Name of the environment.
        hparams: Hyperparameters, in their order; `None` where the value comes later.
        traced_hparams: Names of those whose values arrive when the training starts.
        env_skeleton: Restores the environment; `None` where no videos are asked for.
        steps_an_iteration: Environment steps of an iteration, over all environments.
    """

    algorithm: str
    policy: str
    env: str
    hparams: Mapping[str, HParam | None]
    traced_hparams: tuple[str, ...]
    env_skeleton: Skeleton | None
    steps_an_iteration: int = 0
