"""Values as they pass between containers: read by their type, checked, shown as the language writes them.

A platform carries numbers, texts, lists and structs alone. Inside Python a value is plain JSON as the shim takes it:
durations are milliseconds, sizes bytes, money `{"amount", "currency"}`. The rules and the words are those of the
runtime, so that a step fails alike wherever it runs.
"""

import datetime
import json
import re

TEXTS = ("string", "enum", "date", "datetime", "duration", "size", "money")
DURATIONS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1))
SIZES = (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1))
READ_DURATIONS = dict(DURATIONS, w=604_800_000)
READ_SIZES = dict(SIZES, KB=1e3, MB=1e6, GB=1e9, TB=1e12)


class Unfit(Exception):
    """What does not fit: a clause that follows the name of the value."""


# --- reading ----------------------------------------------------------------------------------------------------


def read(value, kind):
    """JSON of a platform or of a Python function as a plain value."""
    value = unbox(value, kind)
    if value is None:
        return None
    reader = READERS.get(kind["kind"])
    plain = reader(value, kind) if reader else None
    if plain is None:
        raise Unfit(f"{compact(value)} is not of type `{kind['text']}`")
    return plain


def unbox(value, kind):
    """What may be absent passes between tasks as a list of none or one. Of a list it has to be said."""
    boxed = kind.get("boxed", kind["kind"] != "list")
    if kind.get("optional") and boxed and isinstance(value, list) and len(value) < 2:
        return value[0] if value else None
    return value


def read_int(value, kind):
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value if fits else None


def read_float(value, kind):
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def read_units(units):
    def reader(value, kind):
        if not isinstance(value, str):
            return read_int(value, kind)
        text = value[1:] if value.startswith("-") else value
        parts = re.findall(r"([0-9._]+) ?([A-Za-z]+)", text)
        if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
            return None
        if any(unit not in units for _, unit in parts):
            return None
        try:
            total = sum(float(number) * units[unit] for number, unit in parts)
        except ValueError:
            return None
        return round(-total if value.startswith("-") else total)

    return reader


def read_money(value, kind):
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return value if read_float(value["amount"], kind) is not None else None
    found = re.fullmatch(r"(-?[0-9]+(?:\.[0-9]+)?) ([A-Z]{3})", value) if isinstance(value, str) else None
    return {"amount": float(found[1]), "currency": found[2]} if found else None


def read_date(value, kind):
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        return None


def read_datetime(value, kind):
    """In UTC; a time without an offset is meant so."""
    try:
        found = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value))
    except (TypeError, ValueError):
        return None
    if found.tzinfo is not None:
        found = found.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    text = found.isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def read_record(value, kind):
    if not isinstance(value, dict):
        return None
    unknown = [name for name in value if name not in kind["fields"]]
    if unknown:
        raise Unfit(f"`{kind['text']}` has no field `{unknown[0]}`")
    return {name: read(item, kind["fields"][name]) for name, item in value.items()}


READERS = {
    "bool": lambda value, kind: value if isinstance(value, bool) else None,
    "int": read_int,
    "float": read_float,
    "string": lambda value, kind: value if isinstance(value, str) else None,
    "enum": lambda value, kind: value if isinstance(value, str) else None,
    "date": read_date,
    "datetime": read_datetime,
    "duration": read_units(READ_DURATIONS),
    "size": read_units(READ_SIZES),
    "money": read_money,
    "list": lambda value, kind: [read(item, kind["of"]) for item in value] if isinstance(value, list) else None,
    "map": lambda value, kind: (
        {name: read(item, kind["of"]) for name, item in value.items()} if isinstance(value, dict) else None
    ),
    "record": read_record,
}


# --- checking ---------------------------------------------------------------------------------------------------


def check(value, kind):
    """Whether a plain value fits its type, refinements included."""
    if value is None:
        if kind.get("optional"):
            return
        raise Unfit(f"a value is missing: `{kind['text']}` must be present")
    check_inside(value, kind)
    for refinement in kind.get("refinements", []):
        if not holds(refinement, value, kind):
            raise Unfit(f"{show(value, kind)} does not fit `{kind['text']}`: it must be {refinement['must']}")


def check_inside(value, kind):
    name = kind["kind"]
    if name == "enum" and value not in kind["variants"]:
        raise Unfit(f"`{value}` is none of {', '.join(f'`{variant}`' for variant in kind['variants'])}")
    if name == "list":
        for index, item in enumerate(value):
            within(f"item {index + 1}", item, kind["of"])
    elif name == "map":
        for key, item in value.items():
            within(f"`{key}`", item, kind["of"])
    elif name == "record":
        for field, of in kind["fields"].items():
            within(f"field `{field}`", value.get(field), of)


def within(place, value, kind):
    try:
        check(value, kind)
    except Unfit as unfit:
        raise Unfit(f"{place}: {unfit}") from None


def holds(refinement, value, kind):
    if "matches" in refinement:
        return matches(refinement["matches"], value)
    if "shortest" in refinement:
        longest = refinement["longest"]
        return refinement["shortest"] <= len(value) and (longest is None or len(value) <= longest)
    low, high = refinement["minimum"], refinement["maximum"]
    return (low is None or ordered(low["value"], value, low["inclusive"], kind)) and (
        high is None or ordered(value, high["value"], high["inclusive"], kind)
    )


def ordered(first, second, inclusive, kind):
    """Whether two values stand in this order; amounts in different currencies stand in none."""
    if kind["kind"] == "money":
        if first["currency"] != second["currency"]:
            return False
        first, second = round(first["amount"] * 10_000), round(second["amount"] * 10_000)
    elif kind["kind"] == "datetime":
        first, second = first.rstrip("Z"), second.rstrip("Z")
    return first < second or (inclusive and first == second)


def matches(pattern, text):
    """A pattern of the runtime, whose `$` and `\\z` are the end of the text and nothing before it."""
    translated = re.sub(r"\\z|(\\.)|(\[(?:\\.|[^\]\\])*\])|\$", lambda found: found[1] or found[2] or r"\Z", pattern, flags=re.S)
    try:
        return re.search(translated, text) is not None
    except re.error as error:
        raise Unfit(f"the pattern {json.dumps(pattern)} cannot be used in Python: {error}") from None


# --- writing ----------------------------------------------------------------------------------------------------


def write(value, kind):
    """A plain value as JSON for the platform."""
    if value is None:
        return None
    name = kind["kind"]
    if name in ("duration", "size", "money"):
        return show(value, kind)
    if name == "list":
        return [write(item, kind["of"]) for item in value]
    if name == "map":
        return {key: write(item, kind["of"]) for key, item in value.items()}
    if name == "record":
        return {key: write(item, kind["fields"][key]) for key, item in value.items()}
    return value


def text_of(value, kind):
    """The content of an output parameter's file: texts bare, what may be absent in a list, everything else JSON."""
    if kind.get("optional"):
        return compact([] if value is None else [write(value, kind)])
    written = write(value, kind)
    return written if kind["kind"] in TEXTS else compact(written)


def show(value, kind):
    """A plain value as the language writes it."""
    name = kind["kind"]
    if value is None:
        return "none"
    if name == "bool":
        return "true" if value else "false"
    if name in ("string", "date", "datetime"):
        return '"' + "".join(ESCAPES.get(character, character) for character in value) + '"'
    if name == "duration":
        return ("-" if value < 0 else "") + in_units(abs(value), DURATIONS)
    if name == "size":
        return in_units(value, SIZES)
    if name == "money":
        amount = f"{value['amount']:.4f}".rstrip("0").rstrip(".")
        return f"{amount} {value['currency']}"
    if name == "list":
        return "[" + ", ".join(show(item, kind["of"]) for item in value) + "]"
    if name == "map":
        return "{ " + ", ".join(f"{identifier(key)}: {show(value[key], kind['of'])}" for key in sorted(value)) + " }"
    if name == "record":
        fields = kind["fields"]
        return "{ " + ", ".join(f"{identifier(key)}: {show(value[key], fields[key])}" for key in sorted(value)) + " }"
    return identifier(value) if name == "enum" else str(value)


ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "{": "\\{", "}": "\\}"}


def identifier(name):
    return name if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) else f"`{name}`"


def in_units(rest, units):
    if rest == 0:
        return "0" + units[-1][0]
    text = ""
    for unit, worth in units:
        if rest // worth:
            text += f"{rest // worth}{unit}"
        rest %= worth
    return text


def compact(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
