from .loading import file_in as file_in
from .loading import given_env as given_env
from .loading import is_model as is_model
from .loading import is_replay as is_replay
from .loading import load_env as load_env
from .loading import load_policy as load_policy
from .loading import stem as stem
