"""A Kubernetes cluster on this machine's loopback: an API server whose pods are local processes.

    with Cluster(Settings(files={"/usr/local/bin/mlp": "/path/to/mlp"})) as cluster:
        os.environ["KUBECONFIG"] = str(cluster.kubeconfig)
        …
        cluster.pods          # every pod that was created, with what it was asked, how it ended and what it printed

What it has: pods (created, read, listed by label, patched, deleted), their logs, events and `exec`; init containers,
volumes, secrets, config maps, claims; nodes with labels, taints and capacity; deadlines and grace periods; the refusals
of a real API server (`refusals.py`). What it has not: isolation. Containers are processes of the user who runs the
tests: nothing needs root, images are not pulled, there is no network between pods, and a mount is a folder whose path
replaces the mount's in commands, arguments and variables (`container.py`).
"""

from .server import Cluster
from .settings import Image, Node, Settings

__all__ = ["Cluster", "Image", "Node", "Settings"]
