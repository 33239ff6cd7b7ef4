"""Values of the language, and how they look on the platform."""

import json
import re
from pathlib import Path

from kfp.pipeline_spec import pipeline_spec_pb2

import run

TEXT = pipeline_spec_pb2.ParameterType.STRING
TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[\[\]{}:,]|[^\[\]{}:,"`]+)')


def specification(target: Path, pipeline: str) -> Path:
    """The file of a pipeline among those that were built."""
    return target / f"{pipeline}.yaml"


def argument(text: str, kind: int, known: dict):
    """A command line's text as the platform takes it; `none` is an argument that is not given."""
    if text == "none":
        return None
    if text in known:
        return known[text]
    return text if kind == TEXT else json.loads(text)


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


def same(expected: str, actual) -> bool:
    """Whether a value of the platform is what the language writes as `expected`."""
    if isinstance(actual, str):
        return expected == actual
    if isinstance(actual, run.Artifact):
        return expected == shown(actual)
    if isinstance(actual, list) and any(isinstance(item, run.Artifact) for item in actual):
        return expected == f"[{', '.join(shown(item) for item in actual)}]"
    if isinstance(actual, list) and not expected.startswith("["):
        # A value that may be absent travels as a list of none or one.
        return expected == "none" if actual == [] else len(actual) == 1 and same(expected, actual[0])
    return equal(parse(expected), actual)


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


def shown(artifact: run.Artifact) -> str:
    """A file by its text, as `expected` shows it."""
    try:
        text = artifact.content.decode()
    except (AttributeError, UnicodeDecodeError):
        return "<…>"
    return f"<{text.rstrip().replace(chr(10), '|')}>"
