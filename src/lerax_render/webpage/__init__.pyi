from .filling import filled as filled
from .filling import joined_files as joined_files
from .filling import policy_hash as policy_hash
