"""One container of a pod: a local process, with the mounts as folders and what it prints as its log."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

# What of this machine's environment a container may see: without it, interpreters and shells are not found.
INHERITED = ("PATH", "LANG")
VARIABLE = re.compile(r"\$\$|\$\((\w[-.\w]*)\)")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Unstartable(Exception):
    """Why a container is left waiting: the reason and the message, as the kubelet reports them."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Log:
    """Lines with their times, read while they are written."""

    def __init__(self) -> None:
        self.lines = []
        self.closed = False
        self.changed = threading.Condition()

    def write(self, line: bytes) -> None:
        with self.changed:
            self.lines.append((now(), time.time(), line.rstrip(b"\n") + b"\n"))
            self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def text(self) -> str:
        with self.changed:
            return b"".join(line for _, _, line in self.lines).decode(errors="replace")

    def read(self, follow: bool, timestamps: bool, since: float):
        """Yields the lines that are not older than `since`; with `follow` until the container has ended."""
        position = 0
        while True:
            with self.changed:
                while follow and position == len(self.lines) and not self.closed:
                    self.changed.wait(1)
                found = self.lines[position:]
                ended = self.closed or not follow
            position += len(found)
            for stamp, moment, line in found:
                if moment >= since:
                    yield stamp.encode() + b" " + line if timestamps else line
            if ended and not found:
                return


def descendants(process: int) -> list:
    """The processes that a process started, and those that they started."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, rest = [], [process]
    while rest:
        rest += (below := children.get(rest.pop(), []))
        found += below
    return found


class Container:
    """A container that runs, or ran."""

    def __init__(self, spec: dict, mounts: dict, files: dict) -> None:
        self.spec = spec
        self.name = spec["name"]
        self.log = Log()
        self.process = None
        self.signals = []
        paths = {**files, **{path.rstrip("/"): str(folder) for path, folder in mounts.items()}}
        # The longest first: `/mlp/cache` is another place than `/mlp`. A path ends where no letter of a name follows.
        names = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
        self.paths = paths
        self.pattern = re.compile(rf"(?:(?<![\w./-])|(?<=://))({names})(?![\w.-])") if names else None

    def local(self, text: str) -> str:
        """A text with the paths of the container replaced by those of this machine."""
        return self.pattern.sub(lambda found: self.paths[found[1]], text) if self.pattern else text

    def command(self, variables: dict) -> list:
        """What is started: `$(NAME)` stands for a variable, as the kubelet has it, and `$$` for a dollar before it."""
        words = [*(self.spec.get("command") or []), *(self.spec.get("args") or [])]

        def expanded(found: re.Match) -> str:
            return "$" if found[0] == "$$" else variables.get(found[1], found[0])

        return [self.local(VARIABLE.sub(expanded, word)) for word in words]

    def run(self, variables: dict, folder: Path) -> int:
        """Runs it to its end: the exit code, as the kubelet gives it. Who says that it ended closes the log."""
        command = self.command(variables)
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment |= {name: self.local(value) for name, value in variables.items()}
        if not command:
            raise Unstartable("CreateContainerError", "no command specified")
        try:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self.log.write(f"exec {command[0]}: {error.strerror}".encode())
            return 128 if isinstance(error, FileNotFoundError) else 126
        reader = threading.Thread(target=self.copy, daemon=True)
        reader.start()
        code = self.process.wait()
        # What the first process left behind ends with the container, as in a namespace of its own.
        self.kill_group()
        reader.join(5)
        return code if code >= 0 else 128 - code

    def copy(self) -> None:
        for line in self.process.stdout:
            self.log.write(line)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the first process only, as the kubelet does."""
        if self.process and self.process.poll() is None:
            self.signals.append(number.name)
            self.process.send_signal(number)

    def kill(self) -> None:
        """Ends everything that runs in it at once."""
        if self.process and self.process.poll() is None:
            self.signals.append("SIGKILL")
            below = descendants(self.process.pid)
            self.process.kill()
            for process in below:
                self.kill_one(process)
            self.kill_group()

    def kill_group(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    @staticmethod
    def kill_one(process: int) -> None:
        try:
            os.kill(process, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


class Sidecar(Container):
    """The container that keeps a pod alive until its XCom was read: nothing runs, since all that it does is to wait.

    Its end is asked for by a command that kills whatever is named `sh`, which here would be every shell of the machine.
    """

    NAME = "airflow-xcom-sidecar"

    def __init__(self, spec: dict, mounts: dict, files: dict) -> None:
        super().__init__(spec, mounts, files)
        self.ended = threading.Event()

    def run(self, variables: dict, folder: Path) -> int:
        self.ended.wait()
        return 0

    def execute(self, command: list) -> subprocess.CompletedProcess:
        """Runs a command beside it: one that kills ends it, others are run."""
        if any("kill" in word for word in command):
            self.ended.set()
            return subprocess.CompletedProcess(command, 0, b"", b"")
        return subprocess.run([self.local(word) for word in command], capture_output=True, check=False, timeout=60)

    def signal(self, number: signal.Signals) -> None:
        self.ended.set()

    def kill(self) -> None:
        self.ended.set()


def copied(folder: Path | None, target: Path) -> Path:
    """The working directory of a container: a copy of what its image has there."""
    if folder:
        shutil.copytree(folder, target, symlinks=True)
    else:
        target.mkdir(parents=True)
    return target
