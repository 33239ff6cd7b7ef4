"""What a cluster is asked for: the specification of each pod, and that a cluster of that kind takes and runs it."""

import json
import tempfile
from pathlib import Path

from cluster import Node
from cluster.settings import USUAL_NODE
from pods_support import PROJECTS, ROOT, Ran, built, execute, with_target

PROJECT = PROJECTS / "machines"
CREDIT = Path(__file__).resolve().parents[3] / "examples" / "credit"
GPUS = Node(
    labels={"cloud.google.com/gke-accelerator": "nvidia-l4", "cloud.google.com/gke-spot": "true"},
    taints=(
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"},
        {"key": "cloud.google.com/gke-spot", "value": "true", "effect": "NoSchedule"},
    ),
    capacity={**USUAL_NODE, "nvidia.com/gpu": "2"},
)
TPUS = Node(
    labels={
        "cloud.google.com/gke-tpu-accelerator": "tpu-v5-lite-podslice",
        "cloud.google.com/gke-tpu-topology": "2x4",
    },
    taints=({"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"},),
    capacity={**USUAL_NODE, "google.com/tpu": "8"},
)
LARGE = Node(
    labels={"cloud.google.com/gke-nodepool": "large"},
    taints=({"key": "dedicated", "value": "ml", "effect": "NoSchedule"}, {"key": "special", "effect": "NoExecute"}),
)
SETTINGS = {
    "nodes": (Node(), GPUS, TPUS, LARGE),
    "namespaces": ("default", "risk"),
    "service_accounts": ("default", "pipeline-runner"),
    "secrets": {"vault": {"token": "hush"}, "registry-login": {"user": "Ann "}},
    "config_maps": {"rules": {"limits": "none"}},
    "claims": ("datasets", "mlp-registry"),
}


def run(target: str, pipeline: str) -> Ran:
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        dags = built(PROJECT, target, Path(folder))
        return execute(dags / f"{pipeline}.py", PROJECT, {}, **SETTINGS)


def spec(ran: Ran, task: str) -> dict:
    return ran.only(task).created["spec"]


def base(ran: Ran, task: str) -> dict:
    return next(one for one in spec(ran, task)["containers"] if one["name"] == "base")


def hardened(ran: Ran, pod) -> None:
    """What holds for every pod, whatever it runs."""
    spec = pod.created["spec"]
    whole = spec["securityContext"]
    ran.expect(whole["runAsNonRoot"] is True and whole["runAsUser"] > 0, f"{pod.name} may run as root")
    ran.expect(
        whole["fsGroup"] == whole["runAsGroup"] == whole["runAsUser"], f"{pod.name} may not write to its volumes"
    )
    ran.expect(whole["seccompProfile"] == {"type": "RuntimeDefault"}, f"{pod.name} has no seccomp profile")
    ran.expect(not spec.get("hostNetwork") and spec["restartPolicy"] == "Never", f"{pod.name} is not on its own")
    for container in [*spec["containers"], *spec["initContainers"]]:
        context = container["securityContext"]
        where = f"{container['name']} of {pod.name}"
        ran.expect(context["allowPrivilegeEscalation"] is False, f"{where} may gain privileges")
        ran.expect(context["capabilities"] == {"drop": ["ALL"]}, f"{where} has capabilities")
        ran.expect(context["runAsNonRoot"] is True, f"{where} may run as root")
        ran.expect(context["seccompProfile"] == {"type": "RuntimeDefault"}, f"{where} has no seccomp profile")
        own = container["name"] != "base" or container["image"].startswith("registry.example.com/mlp:")
        if own:
            ran.expect(context["readOnlyRootFilesystem"] is True, f"the root of {where} can be written")
    init = spec["initContainers"]
    ran.expect(len(init) == 1 and init[0]["command"][0] == "cp", f"{pod.name} brings the program in another way")
    mounts = {
        one["mountPath"]: one["name"]
        for one in next(c for c in spec["containers"] if c["name"] == "base")["volumeMounts"]
    }
    ran.expect(mounts["/mlp"] == "mlp" and "/tmp" in mounts, f"{pod.name} lacks the program or scratch space: {mounts}")


def everything() -> None:
    ran = run("cluster", "main")
    ran.expect(ran.ended.state == "success" and not ran.refused, "the cluster takes and runs all of it")
    for pod in ran.pods:
        hardened(ran, pod)
        metadata, spec = pod.created["metadata"], pod.created["spec"]
        ran.expect(metadata["namespace"] == "risk", f"{pod.name} is in {metadata['namespace']}")
        ran.expect(metadata["labels"]["example.com/team"] == "risk", f"{pod.name} lacks the target's label")
        ran.expect(spec["serviceAccountName"] == "pipeline-runner", f"{pod.name} has another account")
        ran.expect(spec["automountServiceAccountToken"] is True, f"{pod.name} has no token of the account")
        pulled = [one["name"] for one in spec["imagePullSecrets"]]
        ran.expect(pulled == ["registry-login", "other-login"], f"{pod.name} pulls with {pulled}")
    outputs = {name: value.strip() for name, value in ran.ended.returned("pipeline-outputs").items()}
    ran.expect(
        outputs
        == {
            "plain": "plain",
            "secret": "$(TOKEN) $$(TOKEN) $(HOME) {{ run_id }} and 4 letters",
            "graphics": "graphics",
            "tensors": "tensors",
            "placed": "Ann none",
        },
        f"it gives {outputs}",
    )
    secrets(ran)
    accelerators(ran)
    placed(ran)


def secrets(ran: Ran) -> None:
    variables = {one["name"]: one for one in base(ran, "secret")["env"]}
    wanted = {"secretKeyRef": {"name": "vault", "key": "token"}}
    ran.expect(variables["TOKEN"].get("valueFrom") == wanted, f"the secret is {variables['TOKEN']}")
    ran.expect("hush" not in json.dumps([pod.created for pod in ran.pods]), "a pod's specification holds the secret")
    ran.expect("hush" not in ran.ended.log, "the log holds the secret")
    ran.expect(
        all(one["name"] != "TOKEN" for one in base(ran, "plain")["env"]), "a step has a secret that it did not name"
    )


def accelerators(ran: Ran) -> None:
    graphics = base(ran, "graphics")["resources"]
    wanted = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "2"}
    ran.expect(graphics == {"requests": wanted, "limits": wanted}, f"the GPU step asks for {graphics}")
    selector = spec(ran, "graphics")["nodeSelector"]
    ran.expect(selector == GPUS.labels, f"the GPU step wants {selector}")
    ran.expect(spec(ran, "graphics")["activeDeadlineSeconds"] > 3600, "the pod's deadline leaves the launcher its time")
    disk = next(one for one in spec(ran, "graphics")["volumes"] if one["name"] == "tmp")
    ran.expect(disk["emptyDir"] == {"sizeLimit": "100Gi"}, f"the disk is {disk}")
    tensors = base(ran, "tensors")["resources"]
    ran.expect(tensors["limits"] == tensors["requests"] == {"google.com/tpu": "8"}, f"the TPU step asks for {tensors}")
    ran.expect(spec(ran, "tensors")["nodeSelector"] == TPUS.labels, "the TPU step wants another node")


def placed(ran: Ran) -> None:
    pod, container = ran.only("placed").created, base(ran, "placed")
    ran.expect(container["image"] == "python:3.12-slim", f"it runs {container['image']}")
    ran.expect(
        "readOnlyRootFilesystem" not in container["securityContext"], "an image of others may write where it wants"
    )
    half = {"cpu": "500m", "memory": "500Mi"}
    ran.expect(container["resources"]["requests"] == half, f"it asks for {container['resources']}")
    labels = pod["metadata"]["labels"]
    ran.expect(labels["team"] == "fraud" and labels["tier"] == "batch", f"its labels are {labels}")
    ran.expect(pod["metadata"]["annotations"] == {"example.com/owner": "Ann, on the third floor"}, "its annotations")
    volumes = {
        one["name"]: {key: value for key, value in one.items() if key != "name"} for one in pod["spec"]["volumes"]
    }
    mounted = {one["mountPath"]: volumes[one["name"]] for one in container["volumeMounts"]}
    wanted = {
        "/data": {"persistentVolumeClaim": {"claimName": "datasets"}},
        "/login": {"secret": {"secretName": "registry-login"}},
        "/rules": {"configMap": {"name": "rules"}},
        "/dev/shm": {"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        "/scratch": {"emptyDir": {"sizeLimit": "100Gi"}},
    }
    found = {path: mounted.get(path) for path in wanted}
    ran.expect(found == wanted, f"its volumes are {found}")


def bare() -> None:
    ran = run("bare", "one")
    ran.expect(ran.ended.state == "success", "it runs")
    spec = ran.only("output").created["spec"]
    ran.expect(spec["automountServiceAccountToken"] is False, "nobody asked for a token of a service account")
    names = {one["name"] for one in spec["containers"]}
    ran.expect(names == {"base"}, f"a step whose values nobody decides on has no sidecar: {names}")
    last = {one["name"] for one in ran.only("pipeline-outputs").created["spec"]["containers"]}
    ran.expect(last == {"base", "airflow-xcom-sidecar"}, f"the values of the pipeline are read from a sidecar: {last}")


def registry() -> None:
    """What is registered is in the volume that the pods of a run share, and nowhere else."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        project = with_target(CREDIT, Path(folder), ', registry_claim: "mlp-registry"')
        dags = built(project, "pods", Path(folder) / "dags")
        ran = execute(dags / "credit.py", project, {"trees": 20}, claims=("mlp-registry",))
    ran.expect(ran.ended.state == "success", "it runs to its end")
    wanted = {"persistentVolumeClaim": {"claimName": "mlp-registry"}, "name": "registry"}
    with_claim = {pod.labels()["task_id"] for pod in ran.pods if wanted in pod.created["spec"]["volumes"]}
    ran.expect({"proven.champion", "deploy.register", "deploy"} <= with_claim, f"it is mounted in {with_claim}")
    ran.expect("fit" not in with_claim, "a step of the user has the registry")
    found = sorted(str(path.relative_to(ran.claims)) for path in ran.claims.rglob("*") if path.is_file())
    ran.expect(any("credit" in path for path in found), f"the volume holds {found}")


CASES = {f"shape: {case.__name__}": case for case in (everything, bare, registry)}
