"""Trains the policies of the documentation's pictures: python assets/policies/train.py NAME."""

import sys
from pathlib import Path

from jax import random as jr
from lerax.algorithm import PPO
from lerax.env.classic_control import Acrobot, CartPole
from lerax.policy import MLPActorCriticPolicy

# A cart that may go further stays in the picture, but at its very edge.
ENVIRONMENTS = {"acrobot": Acrobot(), "cartpole": CartPole(x_threshold=1.0)}

if len(sys.argv) != 2 or sys.argv[1] not in ENVIRONMENTS:
    sys.exit(f"{__doc__}\nNAME is one of {', '.join(ENVIRONMENTS)}")
name = sys.argv[1]
env = ENVIRONMENTS[name]
policy = MLPActorCriticPolicy(env, key=jr.key(0))
algorithm = PPO(num_envs=16, num_steps=128, num_epochs=8, num_batches=16)
algorithm.learn(env, policy, 400_000, key=jr.key(1)).serialize(
    Path(__file__).with_name(f"{name}.eqx")
)
