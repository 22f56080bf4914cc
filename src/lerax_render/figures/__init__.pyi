from .drafting import draft as draft
from .drafting import figure as figure
