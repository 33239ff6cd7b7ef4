"""What a cluster has: nodes, images, secrets, claims."""

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path

# What only nodes with accelerators have is not in here.
USUAL_NODE = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "500Gi"}


@dataclass(frozen=True)
class Node:
    """A machine of the cluster."""

    labels: dict = field(default_factory=dict)
    taints: tuple = ()
    """Each with `key`, `value` and `effect`, as Kubernetes writes them."""
    capacity: dict = field(default_factory=lambda: dict(USUAL_NODE))


@dataclass(frozen=True)
class Image:
    """What an image's containers find: the working directory is a copy of `folder`."""

    folder: Path | None = None
    env: dict = field(default_factory=dict)
    user: int = 65532


@dataclass(frozen=True)
class Settings:
    """A cluster as a test wants it."""

    nodes: tuple = (Node(),)
    images: dict = field(default_factory=lambda: {"*": Image()})
    """By pattern, the first that fits; an image that no pattern fits cannot be pulled, nor can `missing/…`."""
    files: dict = field(default_factory=dict)
    """Files that every image has: path inside → path here."""
    secrets: dict = field(default_factory=dict)
    config_maps: dict = field(default_factory=dict)
    claims: tuple = ()
    namespaces: tuple = ("default",)
    service_accounts: tuple = ("default",)
    shared: tuple = ()
    """Folders of this machine that every container sees under their own path, as those of a file server."""
    start_delay: float = 0.0
    """Seconds between the placing of a pod and the start of its first container."""

    def image(self, name: str) -> Image | None:
        """The image of that name; nothing where it cannot be pulled."""
        if name.startswith("missing/"):
            return None
        return next((image for pattern, image in self.images.items() if fnmatch.fnmatch(name, pattern)), None)
