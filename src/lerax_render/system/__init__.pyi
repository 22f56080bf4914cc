from . import jax_start as jax_start
from .compilations import keep_compilations as keep_compilations
from .jax_start import check_not_forked as check_not_forked
from .jax_start import start_jax as start_jax
from .memory import give_back_memory as give_back_memory
from .trial import Trial as Trial
