"""Texts that break programs which put texts together: of the language's own source, and of what each platform reads."""

TEXTS = {
    "quotes": "it's \"so\" `here` 'there'",
    "backslashes": "a\\b \\n \\' \\\" \\",
    "lines": "one\ntwo\n\n  three",
    "returns and tabs": "one\r\ntwo\rthree\tfour",
    "braces": "{x} {{x}} }}{{ {",
    "a placeholder": "{{$.inputs.parameters['text']}}",
    "the whole input": "{{$}} {{$.outputs.output_file}} {{$.pipeline_root}}",
    "a workflow": "{{workflow.name}} {{=1+1}} {{inputs.parameters.x}}",
    "dollars": "$x $(x) $(PATH) ${HOME} $$ $",
    "a shell": "; rm -rf / & | > < * ? ~ # !! $(false) `false`",
    "conditions": "' == 'x' || true || 'y' == '",
    "cel": "inputs.parameter_values['text'] \\u0041 r'' b'' %s",
    "yaml words": "on",
    "yaml null": "~",
    "yaml numbers": "012",
    "yaml times": "1:30",
    "yaml dates": "2024-01-01",
    "yaml float": ".5",
    "yaml tags": "!!python/object:os.system {}",
    "yaml anchors": "&a *a <<: - ? : # | > %YAML @x",
    "documents": "---\n...\n--- # x",
    "leading space": "  both ends  ",
    "nothing but space": " ",
    "unicode": "größe 中文 עברית ñ e\u0301",
    "emoji": "🦀👩‍👩‍👧‍👦🏳️‍🌈",
    "line separators": "a\u0085b\u2028c\u2029d",
    "a mark of byte order": "\ufeffa\ufeff",
    "controls": "a\u0001b\u001bc\u007fd",
    "beyond": "\U0010fffd\ufffd\ue000",
    "json": '{"a": [1, null, "\\u0000"]}',
    "structures": '{"Concat": ["a", "b"]}',
    "xml": "<a href=\"x\">&amp;</a><!-- -->]]>",
    "python": "'''\"\"\"{x!r:>{y}}%(x)s",
    "an option": "--help",
    "an address": "gs://bucket/it's a/{x}?y=z#w",
    "long": "0123456789 " * 800 + ".",
}
# More than an operating system passes as one argument, so nothing runs with it.
ENORMOUS = "0123456789'\"\\{{$ü\n" * 60_000
ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\", "{": "\\{", "}": "\\}"}


def inside(text: str) -> str:
    """A text as it stands between quotes of the language."""
    return "".join(ESCAPES.get(character, character) for character in text)


def documented(text: str) -> str:
    """A text as documentation of what follows."""
    return "\n".join(f"/// {line}".rstrip(" ") for line in text.split("\n"))


def lines(text: str) -> str:
    """A text as documentation keeps it: space at the ends of lines is not."""
    return "\n".join(line.strip() for line in text.strip().split("\n"))
