"""Logging of Lerax trainings: metrics, hyperparameters and videos of the policy as it learns.

    from lerax_log import LoggingCallback, TensorBoardBackend

    with LoggingCallback(TensorBoardBackend(), video_interval=10) as callback:
        policy = algorithm.learn(env, policy, total_timesteps, key=key, callback=callback)

Importing this package loads neither JAX nor a logging library: a public name imports its module
when it is first used, and a backend its library when a run is opened.

The rooms, from top to bottom; a room imports only from those below it:

    testing     the behaviour that every backend shares, as tests
    callback    what Lerax calls while it traces `learn`
    host        sessions and runs: what happens when a compiled `learn` calls back
    recordings  clips of the policy, made by a thread beside the training
    traced      what is traced into `learn`: what an iteration reports, and how it gets to the host
    backends    where it is logged
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
