"""A suite: many cases in one Python process, two at a time; importing a platform costs more than most cases.

    PYTHONPATH=tests/conformance/common MLP=target/debug/mlp python tests/conformance/PLATFORM/programs.py [NAME …]

Prints what is wrong and ends with exit code 1 when anything is.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
WORKERS = 2
WORK = []


def mlp(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Runs the binary under test."""
    return subprocess.run(
        [os.environ["MLP"], *arguments],
        cwd=cwd,
        env={"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


class Broken(Exception):
    """What is wrong with a case, for people."""


def expect(condition: bool, message: str) -> None:
    """Fails the case with a message."""
    if not condition:
        raise Broken(message)


def guarded(name: str) -> tuple:
    """One case in a worker: its name, what it gives, what is wrong, seconds. Workers are forks, so they have the cases."""
    begin = time.monotonic()
    result = problem = None
    try:
        function, cases = WORK
        result = function(cases[name])
    except Broken as error:
        problem = str(error)
    except Exception:
        problem = traceback.format_exc()
    finally:
        # A platform may have taken the signal for itself, and the pool ends its workers by it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return name, result, problem, time.monotonic() - begin


def main(function, cases: dict, finish=None, prepare=None) -> None:
    """Runs `function` on every case, by name; only those that the command line names, if it does.

    `prepare` is called once in every worker. When all of them ran, `finish` is given what each gave, in their order, and may find something wrong with the whole.
    """
    wanted = sys.argv[1:]
    chosen = [name for name in cases if not wanted or name in wanted]
    missing = set(wanted) - set(cases)
    if missing or not chosen:
        sys.exit(f"no such case: {', '.join(sorted(missing))}")
    WORK[:] = [function, cases]
    begin = time.monotonic()
    broken = 0
    results = dict.fromkeys(chosen)
    with multiprocessing.get_context("fork").Pool(WORKERS, prepare) as pool:
        for name, result, problem, seconds in pool.imap_unordered(guarded, chosen):
            results[name] = result
            if problem is not None:
                broken += 1
                print(f"--- {name}\n{problem}\n", flush=True)
            elif os.environ.get("VERBOSE"):
                print(f"{name}: {seconds:.1f} s", flush=True)
    problem = finish(results) if finish and not wanted and not broken else None
    print(problem or f"{len(chosen) - broken} of {len(chosen)} cases hold, {time.monotonic() - begin:.0f} s")
    sys.exit(1 if broken or problem else 0)
