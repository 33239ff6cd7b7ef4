#!/usr/bin/env python3
"""What the executor costs a step, beside ninja on the same graph, in one run.

    cargo build --release && python3 benches/executor.py

Prints, for 1,000 independent steps that each write one byte: the wall time of `mlp run` and of `ninja -j2` with nothing
cached, their ratio, and the time of a second `mlp run` in which every step is cached; and the cost of a hop in a chain of
200 steps. Each figure is the median of five runs. ninja comes from PyPI, into `target/bench-env`.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def ninja_program() -> str:
    """The path of ninja, installed once into an environment of this bench."""
    environment = ROOT / "target" / "bench-env"
    program = environment / "bin" / "ninja"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([environment / "bin" / "pip", "install", "--quiet", "ninja==1.13.0"], check=True)
    return str(program)


def write_mlp(folder: Path, steps: int, chain: bool) -> None:
    """A project whose steps write one byte each."""
    (folder / "mlp.toml").write_text('name = "bench"\nversion = "0.1.0"\nedition = "2026"\n')
    shell = '["sh", "-c", "printf x > $1", "sh", "{output}"]'
    if chain:
        lines = [
            f"step first() -> File {{ run: command {shell} }}",
            f"step link(n: int, before: File) -> File {{ run: command {shell[:-1]}, \"{{n}}\", \"{{before}}\"] }}",
            "pipeline bench() -> File {",
            "  let f0 = first()",
            *(f"  let f{n} = link(n: {n}, before: f{n - 1})" for n in range(1, steps)),
            f"  return f{steps - 1}",
        ]
    else:
        lines = [
            f"step one(n: int) -> File {{ run: command {shell[:-1]}, \"{{n}}\"] }}",
            "pipeline bench() {",
            *(f"  let _ = one(n: {n})" for n in range(steps)),
        ]
    (folder / "main.mlp").write_text("\n".join([*lines, "}"]) + "\n")


def write_ninja(folder: Path, steps: int, chain: bool) -> None:
    """The same graph for ninja."""
    lines = ["rule one", "  command = printf x > $out"]
    for n in range(steps):
        before = f" out/{n - 1}" if chain and n else ""
        lines.append(f"build out/{n}: one{before}")
    (folder / "build.ninja").write_text("\n".join(lines) + "\n")


def seconds(command: list[str], folder: Path) -> float:
    """The wall time of a command that must succeed."""
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    elapsed = time.perf_counter() - begin
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    return elapsed


def measure(mlp: str, ninja: str, steps: int, chain: bool, runs: int) -> tuple[float, float, float]:
    """Median seconds of mlp cold, mlp cached, ninja cold; the programs take turns."""
    cold, cached, other = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_mlp(folder, steps, chain)
            write_ninja(folder, steps, chain)
            cold.append(seconds([mlp, "run"], folder))
            cached.append(seconds([mlp, "run"], folder))
            other.append(seconds([ninja, "-j2"], folder))
    return statistics.median(cold), statistics.median(cached), statistics.median(other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlp", default=str(ROOT / "target" / "release" / "mlp"))
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    ninja = ninja_program()
    cold, cached, other = measure(arguments.mlp, ninja, 1000, chain=False, runs=arguments.runs)
    print(f"1,000 independent steps, cold    mlp {cold * 1e3:6.0f} ms   ninja {other * 1e3:6.0f} ms   {cold / other:.2f} x")
    print(f"1,000 independent steps, cached  mlp {cached * 1e3:6.0f} ms")
    cold, cached, other = measure(arguments.mlp, ninja, 200, chain=True, runs=arguments.runs)
    print(f"chain of 200, cold               mlp {cold * 1e3:6.0f} ms   ninja {other * 1e3:6.0f} ms   {cold * 5:.2f} ms a hop")
    print(f"chain of 200, cached             mlp {cached * 1e3:6.0f} ms")


if __name__ == "__main__":
    main()
