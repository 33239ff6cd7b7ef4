from . import (
    title,
)


def polite(name: str) -> str:
    return f"{title.TITLE} {name}"
