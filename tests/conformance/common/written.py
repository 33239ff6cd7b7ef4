"""Values as the language writes them, beside the plain data of a platform."""

import json
import re

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[\[\]{}:,]|[^\[\]{}:,"`]+)')


def parse(text: str):
    """A value as the language writes it: lists, maps, quoted text; all else stays as it is written."""
    tokens = [token.strip() for token in TOKEN.findall(text)]
    value, rest = parse_tokens(tokens)
    if rest:
        raise ValueError(f"more than a value: {text}")
    return value


def parse_tokens(tokens: list):
    first, *rest = tokens
    if first == "[":
        items = []
        while rest[0] != "]":
            item, rest = parse_tokens(rest)
            items.append(item)
            rest = rest[1:] if rest[0] == "," else rest
        return items, rest[1:]
    if first == "{":
        entries = {}
        while rest[0] != "}":
            key, (_, *rest) = rest[0].strip("`"), rest[1:]
            entries[key], rest = parse_tokens(rest)
            rest = rest[1:] if rest[0] == "," else rest
        return entries, rest[1:]
    return (json.loads(first) if first.startswith('"') else first), rest


def equal(expected, actual) -> bool:
    """Whether a parsed value is one of the platform."""
    if isinstance(actual, bool):
        return expected == str(actual).lower()
    if isinstance(actual, int | float):
        return isinstance(expected, str) and float(expected) == actual
    if isinstance(actual, list):
        return (
            isinstance(expected, list)
            and len(expected) == len(actual)
            and all(equal(one, other) for one, other in zip(expected, actual, strict=True))
        )
    if isinstance(actual, dict):
        return (
            isinstance(expected, dict)
            and set(expected) == set(actual)
            and all(equal(value, actual[key]) for key, value in expected.items())
        )
    return expected == ("none" if actual is None else actual)
