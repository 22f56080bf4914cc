"""Numbers of bytes as text."""


def human_size(num_bytes: int) -> str:
    """Return a number of bytes as text with three digits."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
