"""Values of the language, and how they look on the platform."""

import json
from pathlib import Path

from kfp.pipeline_spec import pipeline_spec_pb2

import run
from written import equal, parse

TEXT = pipeline_spec_pb2.ParameterType.STRING


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


def shown(artifact: run.Artifact) -> str:
    """A file by its text, as `expected` shows it."""
    try:
        text = artifact.content.decode()
    except (AttributeError, UnicodeDecodeError):
        return "<…>"
    return f"<{text.rstrip().replace(chr(10), '|')}>"
