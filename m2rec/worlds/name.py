"""The rule for names of worlds, which appear on the page, in paths and in checkpoints."""

LONGEST_NAME = 100  # characters


def plain_name(name: str) -> str:
    """A name that is safe on a page and in a path. Raises ValueError."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name[0] == "." or {"/", "\\"} & set(name):
        raise ValueError(f"a world's name is 1 to {LONGEST_NAME} printable characters, no slash, no dot in front")
    return name
