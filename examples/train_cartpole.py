"""Trains a policy on CartPole, with metrics and videos in TensorBoard and progress on the terminal.

    python examples/train_cartpole.py
    tensorboard --logdir logs

This takes about half a minute on two cores. The clips are also in `logs/<run>/videos/`.
"""

from jax import random as jr
from lerax.algorithm import PPO
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy

from lerax_log import ConsoleBackend, LoggingCallback, TensorBoardBackend

env = CartPole()
policy = MLPActorCriticPolicy(env, key=jr.key(0))
algorithm = PPO(num_envs=16, num_steps=128, num_epochs=8, num_batches=16)

with LoggingCallback(
    [TensorBoardBackend("logs"), ConsoleBackend()],
    video_interval=20,
    video_num_steps=500,
    # On two cores, this short training is faster than its recordings, so it waits for them.
    video_mode="block",
) as callback:
    policy = algorithm.learn(env, policy, 200_000, key=jr.key(1), callback=callback)

policy.serialize("cartpole.eqx")
