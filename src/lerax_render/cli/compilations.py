"""Compiled programs that outlive the process."""

import os

import platformdirs


def keep_compilations() -> None:
    """Let JAX keep compiled programs in the user's cache folder, unless it keeps them already."""
    import jax

    if jax.config.jax_compilation_cache_dir is not None:
        return
    folder = platformdirs.user_cache_path("lerax-render") / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        # The small ones, too: a clip of CartPole has thirty, and to compile one takes ten times as
        # long as to read it.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
