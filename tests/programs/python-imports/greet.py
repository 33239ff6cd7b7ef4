from words import (
    mark,
    salute,
)


def greet(name: str) -> str:
    import words.polite as polite

    return f"{salute.SALUTE} {polite.polite(name)}{mark.MARK}"
