from .filling import filled as filled
from .filling import joined_files as joined_files
from .filling import policy_hash as policy_hash
from .filling import policy_hashes as policy_hashes
