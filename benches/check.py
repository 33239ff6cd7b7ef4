#!/usr/bin/env python3
"""What `mlp check` costs as a whole process.

    cargo build --release && python3 benches/check.py

Checks `examples/credit`, and a generated project of 1,000 steps in 50 files in which every step is called, and prints the
median, fastest and slowest of 20 runs.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def generate(folder: Path, files: int, steps: int) -> None:
    """A project of `files` modules with `steps` steps each, called by one pipeline a module."""
    (folder / "mlp.toml").write_text('name = "bench"\nversion = "0.1.0"\nedition = "2026"\n')
    for file in range(files):
        lines = [f"schema Row{file} {{ id: string @key  amount: float > 0  kind: enum {{ a, b }} }}", ""]
        for step in range(steps):
            lines += [
                f"/// Step {step} of module {file}.",
                f"step work_{file}_{step}(data: Dataset<Row{file}>, factor: float in 0..=10 = 1.5) -> Dataset<Row{file}> {{",
                '  run: command ["bin/work", "--data", "{data}", "--factor", "{factor}", "--out", "{output}"]',
                "  resources: { cpu: 1, memory: 1GiB }",
                "  timeout: 10min",
                "}",
                "",
            ]
        lines += [f"pipeline run_{file}(source: string) -> Dataset<Row{file}> {{", f"  let d0 = read<Row{file}>(source)"]
        lines += [f"  let d{n + 1} = work_{file}_{n}(d{n}, factor: {n % 10}.5)" for n in range(steps)]
        lines += [f"  return d{steps}", "}"]
        (folder / f"module_{file}.mlp").write_text("use std::data::read\n\n" + "\n".join(lines) + "\n")


def times(command: list[str], runs: int) -> list[float]:
    """Wall times in milliseconds of a command that must succeed."""
    found = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        found.append((time.perf_counter() - begin) * 1e3)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    return found[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlp", default=str(ROOT / "target" / "release" / "mlp"))
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        generate(Path(name), files=50, steps=20)
        projects = {"examples/credit": str(ROOT / "examples" / "credit"), "1,000 steps in 50 files": name}
        for title, path in projects.items():
            found = times([arguments.mlp, "check", path], arguments.runs)
            print(f"{title:26} median {statistics.median(found):6.1f} ms   {min(found):6.1f} to {max(found):6.1f} ms")


if __name__ == "__main__":
    main()
