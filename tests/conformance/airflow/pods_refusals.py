"""The cluster of the tests is as strict as a real one: what a real API server refuses, it refuses.

Otherwise "the cluster took every pod" would say nothing. Each row changes one place of a pod that is accepted.
"""

import copy
import json
import urllib.error
import urllib.request

from cluster import Cluster, Settings
from suite import expect

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "fit-a1", "labels": {"example.com/team": "risk"}, "annotations": {"note": "any text at all"}},
    "spec": {
        "restartPolicy": "Never",
        "nodeSelector": {"pool": "none"},
        "containers": [
            {
                "name": "base",
                "image": "mlp:1",
                "command": ["true"],
                "args": ["a"],
                "env": [{"name": "A", "value": "1"}],
                "resources": {
                    "requests": {"cpu": "500m", "nvidia.com/gpu": "1"},
                    "limits": {"cpu": "1", "nvidia.com/gpu": "1"},
                },
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                "securityContext": {"allowPrivilegeEscalation": False, "seccompProfile": {"type": "RuntimeDefault"}},
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "activeDeadlineSeconds": 60,
    },
}
BASE = ("spec", "containers", 0)
RESOURCES = (*BASE, "resources")

# Where, what, the status, and words of the answer.
ROWS = (
    (("metadata", "name"), "Fit_1", 422, "RFC 1123"),
    (("metadata", "name"), "a" * 254, 422, "RFC 1123"),
    (("metadata", "labels", "team"), "credit risk", 422, "metadata.labels"),
    (("metadata", "labels", "team"), "a" * 64, 422, "metadata.labels"),
    (("metadata", "labels", "-team"), "risk", 422, "metadata.labels"),
    (("metadata", "labels", "team"), 3, 400, "type string"),
    (("metadata", "annotations", "a/b/c"), "x", 422, "metadata.annotations"),
    ((*BASE, "args"), [3], 400, "cannot unmarshal number into Go struct field Container.args of type string"),
    ((*BASE, "command"), [True], 400, "cannot unmarshal bool"),
    ((*BASE, "env"), [{"name": "A", "value": 1}], 400, "EnvVar.value"),
    ((*BASE, "env"), [{"name": "1 A", "value": "1"}], 422, "environment variable name"),
    (
        (*BASE, "env"),
        [{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        422,
        "valueFrom",
    ),
    ((*BASE, "env"), [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}], 422, "secretKeyRef"),
    ((*BASE, "image"), "", 422, "image: Required value"),
    ((*BASE, "name"), "a.b", 422, "RFC 1123 label"),
    ((*BASE, "imagePullPolicy"), "Sometimes", 422, "imagePullPolicy"),
    ((*RESOURCES, "limits", "memory"), "16GB", 400, "quantities must match"),
    ((*RESOURCES, "requests", "cpu"), "2", 422, "must be less than or equal to cpu limit"),
    ((*RESOURCES, "requests", "cpu"), "-1", 422, "greater than or equal to 0"),
    ((*RESOURCES, "limits", "nvidia.com/gpu"), "2", 422, "equal to the request"),
    ((*RESOURCES, "limits", "gpu"), "1", 422, "standard resource type"),
    ((*BASE, "volumeMounts", 0, "name"), "other", 422, "Not found"),
    ((*BASE, "volumeMounts", 0, "mountPath"), "/a:b", 422, "mountPath"),
    (
        (*BASE, "volumeMounts"),
        [{"name": "tmp", "mountPath": "/a"}, {"name": "tmp", "mountPath": "/a"}],
        422,
        "must be unique",
    ),
    ((*BASE, "securityContext", "privileged"), True, 422, "allowPrivilegeEscalation"),
    ((*BASE, "securityContext", "seccompProfile"), {"type": "Default"}, 422, "seccompProfile"),
    (("spec", "securityContext"), {"runAsUser": "65532"}, 400, "int64"),
    (("spec", "volumes", 0, "emptyDir", "sizeLimit"), "1 GB", 400, "quantities must match"),
    (("spec", "volumes", 0, "emptyDir", "medium"), "Disk", 422, "medium"),
    (("spec", "volumes", 0, "secret"), {"secretName": "s"}, 422, "more than 1 volume type"),
    (("spec", "volumes"), [{"name": "tmp", "emptyDir": {}}] * 2, 422, "Duplicate"),
    (("spec", "tolerations", 0, "value"), "x", 422, "operator"),
    (("spec", "tolerations", 0, "effect"), "Never", 422, "effect"),
    (("spec", "nodeSelector", "pool"), "a b", 422, "nodeSelector"),
    (("spec", "imagePullSecrets"), [{"name": "Login"}], 422, "imagePullSecrets"),
    (("spec", "restartPolicy"), "Once", 422, "restartPolicy"),
    (("spec", "activeDeadlineSeconds"), 0, 422, "between 1"),
    (("spec", "activeDeadlineSeconds"), 1.5, 400, "int64"),
    (("spec", "containers"), [], 422, "spec.containers: Required"),
    (("spec", "serviceAccountName"), "nobody", 403, "service account"),
    (("metadata", "annotations", "long"), "x" * (1 << 21), 413, "too large"),
)


def changed(place: tuple, value: object) -> dict:
    """The pod with another value at one place."""
    pod = copy.deepcopy(POD)
    target = pod
    for name in place[:-1]:
        target = target[name]
    target[place[-1]] = value
    return pod


def create(cluster: Cluster, pod: dict, namespace: str = "default") -> tuple:
    request = urllib.request.Request(f"{cluster.address}/api/v1/namespaces/{namespace}/pods", json.dumps(pod).encode())
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["message"]


def refusals() -> None:
    with Cluster(Settings()) as cluster:
        problems = []
        for place, value, status, words in ROWS:
            code, message = create(cluster, changed(place, value))
            if code != status or words not in message:
                problems.append(f"{place} = {str(value)[:60]!r}: {code} {message[:200]}")
        expect(not problems, "\n".join(problems))
        expect(create(cluster, POD, "elsewhere")[0] == 404, "a namespace that is missing takes a pod")
        expect(create(cluster, POD) == (200, ""), "the pod itself is not taken")
        expect(create(cluster, POD)[0] == 409, "two pods have one name")


CASES = {"cluster: refusals": refusals}
