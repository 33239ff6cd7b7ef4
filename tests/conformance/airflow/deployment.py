"""A whole Airflow: scheduler, DAG processor and API server as processes, on SQLite, in a folder of their own.

    with Deployment(environment) as airflow:
        (airflow.dags / "file.py").write_text(…)
        airflow.call("GET", "/dags/file")

Waiting is looking again until a deadline (`until`); whatever was started is ended, also when a test fails or is
interrupted.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from cluster.container import descendants
from suite import Broken

COMPONENTS = (["api-server"], ["scheduler"], ["dag-processor"])
# The parts are far from instant on a machine that does other things at the same time.
START = 180
PAUSE = 0.25


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what: str, seconds: float, look):
    """What `look` gives as soon as it is true; it is asked again and again until the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(PAUSE)
    raise Broken(f"{what}: not within {seconds} seconds")


class Deployment:
    """A running Airflow."""

    def __init__(self, environment: dict | None = None) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="airflow-"))
        self.dags = self.home / "dags"
        self.dags.mkdir()
        self.port = free_port()
        self.processes = {}
        self.environment = {**os.environ, **self.settings(), **(environment or {})}

    def settings(self) -> dict:
        address = f"http://127.0.0.1:{self.port}"
        return {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__BASE_URL": address,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def __enter__(self) -> "Deployment":
        # The end of the test's process is the end of everything, however it comes about.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            print(self.log(), file=sys.stderr)
        self.stop()

    def start(self) -> None:
        migrated = subprocess.run(self.command("db", "migrate"), env=self.environment, capture_output=True, text=True)
        if migrated.returncode != 0:
            raise Broken(f"no database:\n{migrated.stdout}{migrated.stderr}")
        for words in COMPONENTS:
            with (self.home / f"{words[0]}.log").open("wb") as log:
                self.processes[words[0]] = subprocess.Popen(
                    self.command(*words), env=self.environment, stdout=log, stderr=log, start_new_session=True
                )
        self.token = until("the API answers", START, self.signed_in)
        until("scheduler and DAG processor are healthy", START, self.healthy)

    @staticmethod
    def command(*words: str) -> list:
        return [sys.executable, "-m", "airflow", *words]

    def stop(self) -> None:
        """Ends every process that was started, and what they started."""
        below = [process for one in self.processes.values() for process in descendants(one.pid)]
        for one in self.processes.values():
            if one.poll() is None:
                one.terminate()
        for one in self.processes.values():
            try:
                one.wait(15)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        for process in below:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        shutil.rmtree(self.home, ignore_errors=True)

    def log(self) -> str:
        """What the parts said last."""
        logs = [path for path in sorted(self.home.rglob("*.log")) if path.stat().st_size]
        return "\n".join(
            f"--- {path.relative_to(self.home)}\n{path.read_text(errors='replace')[-6000:]}" for path in logs
        )

    def signed_in(self) -> str | None:
        self.alive()
        try:
            _, answer = self.request("GET", f"http://127.0.0.1:{self.port}/auth/token")
        except OSError:
            return None
        return answer.get("access_token") if isinstance(answer, dict) else None

    def healthy(self) -> bool:
        self.alive()
        _, health = self.call("GET", "/monitor/health")
        return all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor"))

    def alive(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise Broken(f"the {name} ended with {process.returncode}")

    def call(self, method: str, path: str, body: dict | None = None) -> tuple:
        """A request to the REST API v2: the status and what the answer holds."""
        return self.request(method, f"http://127.0.0.1:{self.port}/api/v2{path}", body, self.token)

    @staticmethod
    def request(method: str, address: str, body: dict | None = None, token: str | None = None) -> tuple:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(address, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, text
