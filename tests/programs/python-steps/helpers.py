"""Imported by the steps, so it travels with them."""


def title(day):
    return f"{day:%Y} {type(day).__name__}"
