"""`python -m lerax_render`: the same as `lerax-render`."""

from .cli import main

main()
