"""The life of a pod: placed on a node, its containers started in their order, ended with grace, gone."""

import copy
import signal
import threading
import time
import uuid
from pathlib import Path

from . import quantities
from .container import Container, Sidecar, Unstartable, copied, now
from .settings import Node, Settings

GRACE = 30


class Pod:
    """A pod, with its object as the API shows it."""

    def __init__(self, body: dict, settings: Settings, root: Path, changed) -> None:
        self.settings, self.root, self.changed = settings, root, changed
        self.created = copy.deepcopy(body)
        self.lock = threading.RLock()
        self.containers = {}
        self.events = []
        self.grace = None
        self.ending = threading.Event()
        self.ended = threading.Event()
        self.object = body
        metadata = body["metadata"]
        metadata.update(uid=str(uuid.uuid4()), creationTimestamp=now())
        self.folder = root / "pods" / metadata["uid"]
        body["spec"].setdefault("terminationGracePeriodSeconds", GRACE)
        body["spec"].setdefault("restartPolicy", "Always")
        body["status"] = {"phase": "Pending", "qosClass": "Burstable"}

    @property
    def name(self) -> str:
        return self.object["metadata"]["name"]

    @property
    def spec(self) -> dict:
        return self.object["spec"]

    @property
    def phase(self) -> str:
        return self.object["status"]["phase"]

    def labels(self) -> dict:
        return self.object["metadata"].get("labels") or {}

    def log(self, container: str = "base") -> str:
        """What a container printed."""
        return self.containers[container].log.text() if container in self.containers else ""

    def codes(self) -> dict:
        """Exit codes of the containers that ended."""
        status = self.object["status"]
        every = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
        return {one["name"]: one["state"]["terminated"]["exitCode"] for one in every if "terminated" in one["state"]}

    def update(self, **status) -> None:
        with self.lock:
            self.object["status"].update(status)
        self.changed(self)

    def event(self, kind: str, reason: str, message: str) -> None:
        with self.lock:
            self.events.append(
                {"type": kind, "reason": reason, "message": message, "time": now(), "uid": str(uuid.uuid4())}
            )

    def state(self, part: str, name: str, **state) -> None:
        """Sets the state of one container."""
        with self.lock:
            one = next(one for one in self.object["status"][part] if one["name"] == name)
            one.update(state=state, ready="running" in state, started="running" in state)
        self.changed(self)

    def run(self) -> None:
        """The whole life, in a thread of its own."""
        try:
            if self.placed():
                self.containers_in_order()
        except Unstartable as error:
            self.event("Warning", "Failed", f"Error: {error}")
            self.ending.wait()
        except Exception as error:  # A mistake in here must not look like a pod that hangs.
            self.update(phase="Failed", reason="ClusterMistake", message=repr(error))
            raise
        finally:
            self.ended.set()

    def placed(self) -> bool:
        """Waits for a node; there is one at once or never."""
        missing = [name for name in self.claims() if name not in self.settings.claims]
        reasons = [f'persistentvolumeclaim "{name}" not found' for name in missing] or self.unsuitable()
        if reasons:
            message = f"0/{len(self.settings.nodes)} nodes are available: {', '.join(reasons)}."
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
            self.event("Warning", "FailedScheduling", message)
            self.update(conditions=[condition])
            self.ending.wait()
            return False
        self.event("Normal", "Scheduled", f"Successfully assigned {self.name}")
        self.update(conditions=[{"type": "PodScheduled", "status": "True", "lastTransitionTime": now()}])
        return not self.ending.wait(self.settings.start_delay)

    def claims(self) -> list:
        volumes = self.spec.get("volumes") or []
        return [one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one]

    def requested(self) -> dict:
        """What its containers ask for together; what only has a limit asks for that."""
        total = {}
        for container in self.spec["containers"]:
            resources = container.get("resources") or {}
            for name, amount in {**(resources.get("limits") or {}), **(resources.get("requests") or {})}.items():
                total[name] = total.get(name, 0) + quantities.parse(amount)
        return total

    def unsuitable(self) -> list:
        """Why no node takes it; empty where one does."""
        counted = {}
        for node in self.settings.nodes:
            reason = self.refusal(node)
            if reason is None:
                return []
            counted[reason] = counted.get(reason, 0) + 1
        return [f"{count} {reason}" for reason, count in counted.items()]

    def refusal(self, node: Node) -> str | None:
        """Why a node does not take it."""
        for taint in node.taints:
            if not any(tolerated(taint, one) for one in self.spec.get("tolerations") or []):
                return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
        selector = self.spec.get("nodeSelector") or {}
        if any(node.labels.get(name) != value for name, value in selector.items()):
            return "node(s) didn't match Pod's node affinity/selector"
        for name, amount in self.requested().items():
            if amount > (quantities.parse(node.capacity.get(name, "0")) or 0):
                return f"Insufficient {name}"
        return None

    def containers_in_order(self) -> None:
        """Init containers one after the other, then all others at once."""
        deadline = self.deadline()
        waiting = {"waiting": {"reason": "PodInitializing"}}
        for part, key in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
            statuses = [self.first_status(one, waiting) for one in self.spec.get(part) or []]
            self.object["status"][key] = statuses
        self.update(startTime=now(), podIP="127.0.0.1", hostIP="127.0.0.1")
        try:
            for one in self.spec.get("initContainers") or []:
                if self.container("initContainerStatuses", *self.prepared(one)) != 0:
                    return self.update(phase="Failed")
            ready = [self.prepared(one) for one in self.spec["containers"]]
            self.update(phase="Running")
            threads = [
                threading.Thread(target=self.container, args=("containerStatuses", *one), daemon=True) for one in ready
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            if deadline:
                deadline.cancel()
        codes = self.codes()
        failed = any(codes.get(one["name"], 1) for one in self.spec["containers"])
        return self.update(phase="Failed" if failed or self.object["status"].get("reason") else "Succeeded")

    @staticmethod
    def first_status(container: dict, state: dict) -> dict:
        facts = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
        return {**facts, "ready": False, "started": False, "state": state, "lastState": {}}

    def deadline(self) -> threading.Timer | None:
        seconds = self.spec.get("activeDeadlineSeconds")
        if seconds is None:
            return None
        timer = threading.Timer(seconds, self.too_late)
        timer.daemon = True
        timer.start()
        return timer

    def too_late(self) -> None:
        message = "Pod was active on the node longer than the specified deadline"
        self.event("Normal", "Killing", message)
        self.update(reason="DeadlineExceeded", message=message)
        self.stop(self.spec["terminationGracePeriodSeconds"])

    def prepared(self, spec: dict) -> tuple:
        """A container that is ready to start, with its variables and its working directory."""
        image = self.settings.image(spec["image"])
        try:
            if image is None:
                raise Unstartable("ErrImagePull", f'failed to pull and unpack image "{spec["image"]}": not found')
            context = {**(self.spec.get("securityContext") or {}), **(spec.get("securityContext") or {})}
            if context.get("runAsNonRoot") and context.get("runAsUser", image.user) == 0:
                raise Unstartable("CreateContainerConfigError", "container has runAsNonRoot and image will run as root")
            variables = {**image.env, **self.variables(spec)}
            mounts = {one["mountPath"]: self.mount(one) for one in spec.get("volumeMounts") or []}
        except Unstartable as error:
            for part in ("initContainerStatuses", "containerStatuses"):
                if any(one["name"] == spec["name"] for one in self.object["status"].get(part, [])):
                    self.state(part, spec["name"], waiting={"reason": error.reason, "message": str(error)})
            raise
        kind = Sidecar if spec["name"] == Sidecar.NAME else Container
        shared = {str(folder): str(folder) for folder in self.settings.shared}
        container = kind(spec, mounts, {**self.settings.files, **shared})
        self.containers[container.name] = container
        return container, variables, copied(image.folder, self.folder / "containers" / container.name)

    def container(self, part: str, container: Container, variables: dict, folder: Path) -> int:
        """Runs one container to its end."""
        begin = now()
        self.state(part, container.name, running={"startedAt": begin})
        code = 137 if self.ending.is_set() else container.run(variables, folder)
        ended = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": begin,
            "finishedAt": now(),
        }
        self.state(part, container.name, terminated=ended)
        # Only now: who followed the log asks at its end whether the container still runs.
        container.log.close()
        return code

    def variables(self, spec: dict) -> dict:
        found = {}
        for variable in spec.get("env") or []:
            source = variable.get("valueFrom") or {}
            value = variable.get("value", "")
            if "secretKeyRef" in source:
                value = looked_up(self.settings.secrets, "secret", source["secretKeyRef"])
            elif "configMapKeyRef" in source:
                value = looked_up(self.settings.config_maps, "configmap", source["configMapKeyRef"])
            elif "fieldRef" in source:
                value = self.object
                for name in source["fieldRef"]["fieldPath"].split("."):
                    value = value.get(name, {})
            found[variable["name"]] = str(value)
        return found

    def mount(self, mount: dict) -> Path:
        """The folder of a mount, filled at its first use."""
        volume = next(one for one in self.spec["volumes"] if one["name"] == mount["name"])
        if "persistentVolumeClaim" in volume:
            folder = self.root / "claims" / volume["persistentVolumeClaim"]["claimName"]
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        folder = self.folder / "volumes" / volume["name"]
        with self.lock:
            if not folder.exists():
                folder.mkdir(parents=True)
                for name, text in self.contents(volume).items():
                    (folder / name).write_text(text)
        return folder

    def contents(self, volume: dict) -> dict:
        if "secret" in volume:
            return whole(self.settings.secrets, "secret", volume["secret"]["secretName"])
        if "configMap" in volume:
            return whole(self.settings.config_maps, "configmap", volume["configMap"]["name"])
        return {}

    def delete(self, grace: int | None) -> None:
        """Asks it to end; it is gone when it has, or when the grace period is over."""
        with self.lock:
            if self.grace is not None:
                return
            self.grace = self.spec["terminationGracePeriodSeconds"] if grace is None else grace
            self.object["metadata"].update(deletionTimestamp=now(), deletionGracePeriodSeconds=self.grace)
        self.changed(self)
        self.stop(self.grace)

    def stop(self, grace: float) -> None:
        """SIGTERM to every container, and SIGKILL to what is left after the grace period."""
        self.ending.set()
        for one in list(self.containers.values()):
            one.signal(signal.SIGTERM)
        end = time.monotonic() + grace
        while time.monotonic() < end and not self.ended.wait(0.05):
            pass
        for one in list(self.containers.values()):
            one.kill()
        self.ended.wait(10)


def tolerated(taint: dict, toleration: dict) -> bool:
    """Whether a toleration bears a taint."""
    key, effect = toleration.get("key"), toleration.get("effect")
    if (key and key != taint["key"]) or (effect and effect != taint["effect"]):
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def whole(known: dict, kind: str, name: str) -> dict:
    if name not in known:
        raise Unstartable("CreateContainerConfigError", f'{kind} "{name}" not found')
    return known[name]


def looked_up(known: dict, kind: str, reference: dict) -> str:
    values = whole(known, kind, reference["name"])
    if reference["key"] not in values:
        raise Unstartable(
            "CreateContainerConfigError", f"couldn't find key {reference['key']} in {kind} {reference['name']}"
        )
    return values[reference["key"]]
