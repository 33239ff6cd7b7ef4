"""The API server: what a client of Kubernetes asks for, over HTTP on the loopback."""

import itertools
import json
import re
import shutil
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from . import refusals
from .container import Sidecar
from .pod import Pod
from .settings import Settings
from .websocket import STDERR, STDOUT, Channels

PODS = re.compile(r"/api/v1/namespaces/([^/]+)/pods(?:/([^/]+)(?:/(log|exec|status))?)?")
EVENTS = re.compile(r"/api/v1/namespaces/([^/]+)/events")
REQUIREMENT = re.compile(r"(!?)([\w./-]+)(?:(!=|==?)(.*))?")
# The largest body that the server takes, and the largest object that its store takes.
LARGEST = 1536 * 1024


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason = code, reason

    def status(self) -> dict:
        facts = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return {**facts, "reason": self.reason, "message": str(self), "code": self.code}


def selected(selector: str, labels: dict) -> bool:
    """Whether labels meet a selector: `a=b,c!=d,e,!f`."""
    for part in filter(None, selector.split(",")):
        found = REQUIREMENT.fullmatch(part.strip())
        if not found:
            raise Refused(400, "BadRequest", f"unable to parse requirement: {part}")
        absent, name, operator, value = found.groups()
        if operator == "!=":
            holds = labels.get(name) != value
        elif operator:
            holds = labels.get(name) == value
        else:
            holds = (name in labels) != bool(absent)
        if not holds:
            return False
    return True


def merged(target: dict, patch: dict) -> None:
    """Applies a merge patch."""
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict) and isinstance(target.get(name), dict):
            merged(target[name], value)
        else:
            target[name] = value


class Cluster:
    """A running cluster; every process that it started ends with it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.root = Path(tempfile.mkdtemp(prefix="cluster-"))
        self.lock = threading.RLock()
        self.versions = itertools.count(1)
        self.pods = []
        """Every pod that was created, those that are gone among them."""
        self.refused = []
        """What was refused: the status of each answer."""
        self.present = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"cluster": self}))
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.kubeconfig = self.root / "kubeconfig"
        self.kubeconfig.write_text(json.dumps(self.configuration()))

    def configuration(self) -> dict:
        context = {"cluster": "loopback", "user": "test", "namespace": "default"}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "loopback",
            "clusters": [{"name": "loopback", "cluster": {"server": self.address}}],
            "users": [{"name": "test", "user": {"token": "test"}}],
            "contexts": [{"name": "loopback", "context": context}],
        }

    def __enter__(self) -> "Cluster":
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()
        for pod in list(self.present.values()):
            pod.delete(0)
        shutil.rmtree(self.root, ignore_errors=True)

    def changed(self, pod: Pod) -> None:
        with self.lock:
            pod.object["metadata"]["resourceVersion"] = str(next(self.versions))

    def create(self, namespace: str, body: dict) -> dict:
        """Takes a pod, or refuses it."""
        metadata = body.setdefault("metadata", {})
        metadata.setdefault("namespace", namespace)
        if namespace not in self.settings.namespaces:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        if metadata["namespace"] != namespace:
            raise Refused(
                400,
                "BadRequest",
                "the namespace of the provided object does not match the namespace sent on the request",
            )
        try:
            problems = refusals.pod(body)
        except refusals.Unreadable as error:
            raise Refused(400, "BadRequest", f'Pod in version "v1" cannot be handled as a Pod: {error}') from error
        name = metadata.get("name")
        if problems:
            raise Refused(422, "Invalid", f'Pod "{name}" is invalid: {"; ".join(problems)}')
        account = body["spec"].setdefault("serviceAccountName", "default")
        if account not in self.settings.service_accounts:
            why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
            raise Refused(403, "Forbidden", f'pods "{name}" is forbidden: {why}')
        with self.lock:
            if (namespace, name) in self.present:
                raise Refused(409, "AlreadyExists", f'pods "{name}" already exists')
            pod = Pod(body, self.settings, self.root, self.changed)
            self.present[namespace, name] = pod
            self.pods.append(pod)
            self.changed(pod)
            answer = json.loads(json.dumps(pod.object))
        threading.Thread(target=pod.run, daemon=True).start()
        return answer

    def find(self, namespace: str, name: str) -> Pod:
        with self.lock:
            if (namespace, name) not in self.present:
                raise Refused(404, "NotFound", f'pods "{name}" not found')
            return self.present[namespace, name]

    def listed(self, namespace: str, selector: str) -> dict:
        with self.lock:
            items = [
                pod.object
                for (where, _), pod in self.present.items()
                if where == namespace and selected(selector, pod.labels())
            ]
            return {
                "kind": "PodList",
                "apiVersion": "v1",
                "metadata": {"resourceVersion": "1"},
                "items": json.loads(json.dumps(items)),
            }

    def delete(self, namespace: str, name: str, grace: int | None) -> dict:
        pod = self.find(namespace, name)
        threading.Thread(target=self.remove, args=(namespace, pod, grace), daemon=True).start()
        return pod.object

    def remove(self, namespace: str, pod: Pod, grace: int | None) -> None:
        pod.delete(grace)
        with self.lock:
            self.present.pop((namespace, pod.name), None)
        shutil.rmtree(pod.folder, ignore_errors=True)

    def events(self, namespace: str, query: dict) -> dict:
        wanted = dict(part.split("=", 1) for part in query.get("fieldSelector", "").split(",") if part)
        name = wanted.get("involvedObject.name")
        items = []
        for pod in list(self.pods):
            if pod.object["metadata"]["namespace"] == namespace and name in (None, pod.name):
                items += [event(pod, one, number) for number, one in enumerate(pod.events)]
        return {"kind": "EventList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}


def event(pod: Pod, one: dict, number: int) -> dict:
    """An event as the API shows it."""
    namespace = pod.object["metadata"]["namespace"]
    return {
        "metadata": {"name": f"{pod.name}.{number}", "namespace": namespace, "uid": one["uid"], "resourceVersion": "1"},
        "involvedObject": {"kind": "Pod", "name": pod.name, "namespace": namespace},
        "type": one["type"],
        "reason": one["reason"],
        "message": one["message"],
        "firstTimestamp": one["time"],
        "lastTimestamp": one["time"],
        "count": 1,
    }


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    cluster: Cluster

    def log_message(self, format: str, *arguments) -> None:
        """Says nothing: what matters is in `Cluster.pods` and `Cluster.refused`."""

    def do_GET(self) -> None:
        self.answered(self.read)

    def do_POST(self) -> None:
        self.answered(self.write)

    def do_PATCH(self) -> None:
        self.answered(self.patch)

    def do_DELETE(self) -> None:
        self.answered(self.remove)

    def answered(self, function) -> None:
        """Answers with what the function gives, unless it answered itself."""
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        try:
            answer, code = function(urllib.parse.unquote(url.path), query), 200
        except Refused as error:
            answer, code = error.status(), error.code
            if code != 404:
                self.cluster.refused.append(answer)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            return
        if answer is not None:
            self.send(answer, code)

    def send(self, answer: dict, code: int) -> None:
        data = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self) -> dict:
        size = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(size)
        if size > LARGEST:
            raise Refused(413, "RequestEntityTooLarge", f"etcdserver: request is too large: {size} bytes")
        try:
            return json.loads(data) if data else {}
        except ValueError as error:
            raise Refused(400, "BadRequest", f"the body is no JSON: {error}") from error

    @staticmethod
    def place(path: str) -> tuple:
        found = PODS.fullmatch(path)
        if not found:
            raise Refused(404, "NotFound", f"the server could not find the requested resource: {path}")
        return found.groups()

    def read(self, path: str, query: dict) -> dict | None:
        if path == "/version":
            return {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
        if found := EVENTS.fullmatch(path):
            return self.cluster.events(found[1], query)
        namespace, name, part = self.place(path)
        if name is None:
            return self.cluster.listed(namespace, query.get("labelSelector", ""))
        pod = self.cluster.find(namespace, name)
        if part == "log":
            return self.log(pod, query)
        if part == "exec":
            return self.execute(pod, query)
        return json.loads(json.dumps(pod.object))

    def write(self, path: str, query: dict) -> dict | None:
        namespace, name, part = self.place(path)
        if part == "exec":
            return self.execute(self.cluster.find(namespace, name), query)
        if name is not None:
            raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        return self.cluster.create(namespace, self.body())

    def patch(self, path: str, _query: dict) -> dict:
        namespace, name, _ = self.place(path)
        pod = self.cluster.find(namespace, name)
        change = self.body()
        problems = refusals.labels(change.get("metadata", {}).get("labels") or {}, "metadata.labels")
        if problems:
            raise Refused(422, "Invalid", "; ".join(problems))
        if set(change) - {"metadata", "apiVersion", "kind"}:
            raise Refused(
                422, "Invalid", "pod updates may not change fields other than its image, deadline and tolerations"
            )
        with pod.lock:
            merged(pod.object, change)
        self.cluster.changed(pod)
        return pod.object

    def remove(self, path: str, query: dict) -> dict:
        namespace, name, _ = self.place(path)
        grace = self.body().get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
        return self.cluster.delete(namespace, name, None if grace is None else int(grace))

    def container(self, pod: Pod, query: dict):
        """The container that is meant; which one it is has to be said where there are several."""
        names = [one["name"] for one in pod.spec["containers"]]
        name = query.get("container") or (names[0] if len(names) == 1 else None)
        every = names + [one["name"] for one in pod.spec.get("initContainers") or []]
        if name not in every:
            message = f"a container name must be specified for pod {pod.name}, choose one of: {every}"
            raise Refused(
                400, "BadRequest", message if name is None else f"container {name} is not valid for pod {pod.name}"
            )
        if name not in pod.containers:
            raise Refused(
                400, "BadRequest", f'container "{name}" in pod "{pod.name}" is waiting to start: PodInitializing'
            )
        return pod.containers[name]

    def log(self, pod: Pod, query: dict) -> None:
        container = self.container(pod, query)
        since = time.time() - int(query["sinceSeconds"]) if "sinceSeconds" in query else 0
        follow = query.get("follow", "").lower() == "true"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in container.log.read(follow, query.get("timestamps", "").lower() == "true", since):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def execute(self, pod: Pod, query: dict) -> None:
        """A command in the XCom sidecar, the only container into which anybody looks."""
        container = self.container(pod, query)
        if not isinstance(container, Sidecar):
            raise Refused(403, "Forbidden", "commands are run in the XCom sidecar only")
        url = urllib.parse.urlsplit(self.path)
        command = urllib.parse.parse_qs(url.query).get("command", [])
        self.close_connection = True
        channels = Channels(self)
        if query.get("stdin", "").lower() != "true":
            done = container.execute(command)
            channels.send(STDOUT, done.stdout)
            channels.send(STDERR, done.stderr)
            return channels.close(done.returncode)
        while not container.ended.is_set() and (line := channels.receive()) is not None:
            container.execute(["/bin/sh", "-c", line.decode()])
        pod.ended.wait(2)
        return channels.close(0)
