"""Validates one Parquet file with mlp and with pandera on Polars, and prints time, memory and their ratios.

    python3 benches/validate/compare.py [--rows 5000000] [--runs 3]

Both check the same conditions: NULLs, ranges, enum membership, a regular expression, a unique int64 key, a mean and a
NULL rate. Each is a process of its own; wall time and peak memory are what the kernel says (wait4). pandera gets its own
environment under target/, with the versions below. The data is generated, always the same, and kept under target/.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "bench-validate"
PACKAGES = ["pandera[polars]==0.35.0", "polars==2.1.0", "numpy==2.4.6"]
HOUSING = ["own", "rent", "free"]
COUNTRIES = ["DE", "FR", "IT", "ES", "PL", "NL", "BE", "AT", "CZ", "SE"]


def environment() -> pathlib.Path:
    """The Python of pandera's environment, made when it is not there."""
    python = WORK / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", WORK / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


GENERATE = """
import sys
import numpy as np, polars as pl
rows, path = int(sys.argv[1]), sys.argv[2]
random = np.random.default_rng(42)
email = random.integers(0, 10**9, rows)
frame = pl.DataFrame({
    "id": random.permutation(rows).astype(np.int64) * 7 + 3,
    "age": random.integers(18, 100, rows),
    "amount": random.lognormal(7, 1, rows),
    "months": random.integers(1, 121, rows),
    "score": random.random(rows),
    "housing": pl.Series(random.integers(0, 3, rows)).replace_strict(dict(enumerate(%(housing)r)), return_dtype=pl.String),
    "country": pl.Series(random.integers(0, 10, rows)).replace_strict(dict(enumerate(%(countries)r)), return_dtype=pl.String),
    "email": pl.select(pl.format("user{}@example.org", pl.Series(email))).to_series(),
    "defaulted": random.random(rows) < 0.3,
    "income": random.normal(3000, 500, rows),
}).with_columns(pl.when(pl.Series(random.random(rows)) < 0.05).then(None).otherwise(pl.col("income")).alias("income"))
frame.write_parquet(path)
""" % {"housing": HOUSING, "countries": COUNTRIES}

PANDERA = """
import sys
import polars as pl
import pandera.polars as pa
frame = pl.read_parquet(sys.argv[1])
schema = pa.DataFrameSchema(
    {
        "id": pa.Column(pl.Int64, unique=True),
        "age": pa.Column(pl.Int64, pa.Check.in_range(18, 100)),
        "amount": pa.Column(pl.Float64, pa.Check.gt(0)),
        "months": pa.Column(pl.Int64, pa.Check.in_range(1, 120)),
        "score": pa.Column(pl.Float64, pa.Check.in_range(0, 1)),
        "housing": pa.Column(pl.String, pa.Check.isin(%(housing)r)),
        "country": pa.Column(pl.String, pa.Check.isin(%(countries)r)),
        "email": pa.Column(pl.String, pa.Check.str_matches(r"^[^@]+@[^@]+$")),
        "defaulted": pa.Column(pl.Boolean),
        "income": pa.Column(pl.Float64, nullable=True),
    },
    checks=[
        pa.Check(lambda data: data.lazyframe.select(pl.col("age").mean().is_between(25, 75))),
        pa.Check(lambda data: data.lazyframe.select(pl.col("income").null_count() / pl.len() <= 0.2)),
    ],
)
schema.validate(frame, lazy=True)
print("valid:", frame.height, "rows")
""" % {"housing": HOUSING, "countries": COUNTRIES}


def conditions() -> dict:
    """The same conditions as a plan writes them."""

    def column(name, kind, refinements=(), optional=False, tags=()):
        ty = {"kind": kind, "optional": optional, "refinements": list(refinements)}
        return {"name": name, "ty": ty, "tags": [{"name": tag} for tag in tags]}

    def bound(value, inclusive=True):
        return {"value": value, "inclusive": inclusive}

    def between(low, high, of):
        return {"range": {"minimum": bound({of: low}), "maximum": bound({of: high})}}

    def choice(texts):
        return {"enum": {"variants": [{"name": text, "text": text} for text in texts]}}

    schema = {
        "name": "Application",
        "columns": [
            column("id", "int", tags=["key"]),
            column("age", "int", [between(18, 100, "int")]),
            column("amount", "float", [{"range": {"minimum": bound({"int": 0}, False)}}]),
            column("months", "int", [between(1, 120, "int")]),
            column("score", "float", [between(0, 1, "int")]),
            column("housing", choice(HOUSING)),
            column("country", choice(COUNTRIES)),
            column("email", "string", [{"matches": "^[^@]+@[^@]+$"}]),
            column("defaulted", "bool"),
            column("income", "float", optional=True),
        ],
    }
    checks = [
        {
            "text": "mean(age) in 25..=75",
            "measure": {"mean": "age"},
            "minimum": bound({"int": 25}),
            "maximum": bound({"int": 75}),
        },
        {"text": "null_rate(income) <= 20%", "measure": {"null_rate": "income"}, "maximum": bound({"float": 0.2})},
    ]
    return {"schema": schema, "checks": {"name": "Quality", "checks": checks}}


def measure(arguments: list) -> tuple[float, float]:
    """Seconds and megabytes of one process."""
    started = time.perf_counter()
    process = subprocess.Popen([str(argument) for argument in arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{arguments[0]} did not find the data valid")
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    build = ["cargo", "build", "--release", "--quiet", "-p", "mlp-runtime", "--example", "validate"]
    subprocess.run(build, cwd=ROOT, check=True)
    python = environment()
    data = WORK / f"data-{options.rows}.parquet"
    if not data.exists():
        subprocess.run([python, "-c", GENERATE, str(options.rows), data], check=True)
    (WORK / "conditions.json").write_text(json.dumps(conditions()))
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    contestants = {
        "mlp": [target / "release" / "examples" / "validate", data, WORK / "conditions.json"],
        "pandera": [python, "-c", PANDERA, data],
    }
    print(f"{options.rows:,} rows, 10 columns, {data.stat().st_size / 1e6:.0f} MB; median of {options.runs} runs")
    results = {}
    for name, arguments in contestants.items():
        measure(arguments)
        runs = [measure(arguments) for _ in range(options.runs)]
        results[name] = [statistics.median(run[place] for run in runs) for place in (0, 1)]
        print(f"{name:>8}: {results[name][0]:6.2f} s  {results[name][1]:7.0f} MB")
    (seconds, memory), (other_seconds, other_memory) = results["mlp"], results["pandera"]
    print(f"   ratio: {other_seconds / seconds:.1f} times faster, {other_memory / memory:.1f} times less memory")


if __name__ == "__main__":
    main()
