#!/usr/bin/env python3
"""What writing PipelineSpec costs as a whole process: `mlp build --target kubeflow` beside `kfp dsl compile`.

    cargo build --release && python3 benches/kubeflow.py --python ENV/bin/python

`ENV` has `kfp` (the conformance test builds one below `target/conformance`). Both compile a chain of container steps, each of
which takes what the one before gives; runs of the two alternate, and medians of wall and processor time are printed with
their factors. kfp is quadratic, so it is left out above `--kfp-up-to` steps.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "example.com/tools@sha256:" + "5" * 64


def generate(folder: Path, steps: int) -> None:
    """The same chain in the language and in the SDK."""
    (folder / "mlp.toml").write_text('name = "bench"\nversion = "0.1.0"\nedition = "2026"\n')
    lines = [
        "step work(text: string) -> string {",
        '  run:   command ["work", "{text}", "{output}"]',
        f'  image: "{IMAGE}"',
        "}",
        "",
        "pipeline chain(text: string) -> string {",
        "  let d0 = work(text)",
        *[f"  let d{n} = work(d{n - 1})" for n in range(1, steps)],
        f"  return d{steps - 1}",
        "}",
    ]
    (folder / "main.mlp").write_text("\n".join(lines) + "\n")
    lines = [
        "from kfp import dsl",
        "",
        "",
        "@dsl.container_component",
        "def work(text: str, output: dsl.OutputPath(str)):",
        f'    return dsl.ContainerSpec(image="{IMAGE}", command=["work", text, output])',
        "",
        "",
        '@dsl.pipeline(name="chain")',
        "def chain(text: str) -> str:",
        "    d0 = work(text=text)",
        *[f'    d{n} = work(text=d{n - 1}.outputs["output"])' for n in range(1, steps)],
        f'    return d{steps - 1}.outputs["output"]',
    ]
    (folder / "chain.py").write_text("\n".join(lines) + "\n")


def once(command: list[str]) -> tuple[float, float]:
    """Seconds of wall and of processor time of a command that must succeed."""
    before = os.times()
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    wall = time.perf_counter() - begin
    after = os.times()
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, processor


def medians(found: list[tuple[float, float]]) -> tuple[float, float]:
    """In milliseconds."""
    return tuple(statistics.median(times) * 1e3 for times in zip(*found, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlp", default=str(ROOT / "target" / "release" / "mlp"))
    parser.add_argument("--python", required=True, help="an interpreter that has kfp")
    parser.add_argument("--steps", type=int, nargs="+", default=[3, 100, 1_000, 10_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kfp-up-to", type=int, default=1_000, help="the longest chain that kfp compiles too")
    arguments = parser.parse_args()
    for steps in arguments.steps:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            generate(folder, steps)
            ours = [arguments.mlp, "build", name, "--target", "kubeflow", "-o", str(folder / "built")]
            source, target = str(folder / "chain.py"), str(folder / "chain.yaml")
            compiler = [arguments.python, "-c", "from kfp.cli.__main__ import main; main()"]
            theirs = [*compiler, "dsl", "compile", "--py", source, "--output", target]
            commands = {"mlp build": ours}
            if steps <= arguments.kfp_up_to:
                commands["kfp dsl compile"] = theirs
            found = {title: [] for title in commands}
            # The first round warms the caches and is not counted.
            for round_number in range(arguments.runs + 1):
                for title, command in commands.items():
                    times = once(command)
                    if round_number > 0:
                        found[title].append(times)
            size = (folder / "built" / "chain.yaml").stat().st_size
            if "kfp dsl compile" in commands and Path(target).stat().st_size < 500 * steps:
                sys.exit("kfp did not compile the chain")
            results = {title: medians(times) for title, times in found.items()}
            print(f"{steps:6} steps, {size / 1e3:,.0f} kB")
            for title, (wall, processor) in results.items():
                print(f"  {title:16} wall {wall:9.1f} ms   processor {processor:9.1f} ms")
            if len(results) == 2:
                (wall, processor), (kfp_wall, kfp_processor) = results.values()
                print(f"  {'factor':16} wall {kfp_wall / wall:9.0f} x    processor {kfp_processor / processor:9.0f} x")


if __name__ == "__main__":
    main()
