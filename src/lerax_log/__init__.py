"""Logging of Lerax trainings: metrics, hyperparameters and videos of the policy as it learns.

    from lerax_log import LoggingCallback, TensorBoardBackend

    with LoggingCallback(TensorBoardBackend(), video_interval=10) as callback:
        policy = algorithm.learn(env, policy, total_timesteps, key=key, callback=callback)

Importing this package loads neither JAX nor a logging library: each public name below imports its
module when it is first used, and a backend its library when a run is opened.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
