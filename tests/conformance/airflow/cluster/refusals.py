"""What a real API server refuses in a pod, in its own words as far as they matter.

The rules are those of `pkg/apis/core/validation` for what a generator of pods may get wrong; what no generator writes
is not looked at.
"""

import re

from . import quantities

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
EFFECTS = (None, "", "NoSchedule", "PreferNoSchedule", "NoExecute")
PROFILES = ("RuntimeDefault", "Unconfined", "Localhost")
MEDIUMS = ("", "Memory", "HugePages")
NATIVE = ("cpu", "memory", "ephemeral-storage")
GO_NAMES = {int: "number", float: "number", bool: "bool", dict: "object", list: "array", type(None): "null"}


IS_LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
IS_SUBDOMAIN = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
IS_VALUE = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
IS_KEY = "name part must consist of alphanumeric characters, '-', '_' or '.'"
IS_VARIABLE = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.'"
SOURCES = "must specify exactly one of: fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef"


class Unreadable(Exception):
    """The body has another shape than the type: refused before it is looked at (400)."""


def invalid(place: str, value: object, why: str) -> str:
    """A value that has the right type and cannot be."""
    return f"{place}: Invalid value: {value!r}: {why}"


def unquantified(value: object) -> Unreadable:
    return Unreadable(f"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*)$': {value!r}")


def text(value: object, place: str) -> str:
    """A value that must be a string, as the server's decoder demands."""
    if not isinstance(value, str):
        kind = GO_NAMES.get(type(value), "value")
        raise Unreadable(f"json: cannot unmarshal {kind} into Go struct field {place} of type string")
    return value


def texts(values: list | None, place: str) -> list:
    """A list that must be one of strings."""
    return [text(value, place) for value in values or []]


def mapping(values: dict | None, place: str) -> dict:
    """An object that must have strings only."""
    for value in (values or {}).values():
        text(value, place)
    return values or {}


def is_name(value: object, limit: int = 63) -> bool:
    return isinstance(value, str) and len(value) <= limit and bool(NAME.fullmatch(value))


def is_subdomain(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 253 and bool(SUBDOMAIN.fullmatch(value))


def is_qualified(key: str) -> bool:
    """`name` or `prefix/name`, the form of keys of labels, annotations and taints."""
    prefix, slash, name = key.rpartition("/")
    return (not slash or is_subdomain(prefix)) and len(name) <= 63 and bool(WORD.fullmatch(name))


def labels(values: dict, place: str) -> list:
    found = [invalid(f"{place}", key, IS_KEY) for key in values if not is_qualified(key)]
    for value in values.values():
        if value and (len(value) > 63 or not WORD.fullmatch(value)):
            found.append(invalid(f"{place}", value, IS_VALUE))
    return found


def metadata(values: dict) -> list:
    found = []
    if not is_subdomain(values.get("name")):
        found.append(invalid("metadata.name", values.get("name"), IS_SUBDOMAIN))
    found += labels(mapping(values.get("labels"), "ObjectMeta.metadata.labels"), "metadata.labels")
    annotations = mapping(values.get("annotations"), "ObjectMeta.metadata.annotations")
    found += [f"metadata.annotations: Invalid value: {key!r}" for key in annotations if not is_qualified(key.lower())]
    if sum(len(key) + len(value) for key, value in annotations.items()) > 256 * 1024:
        found.append("metadata.annotations: Too long: may not be more than 262144 bytes")
    return found


def resources(values: dict, place: str) -> list:
    found = []
    limits = values.get("limits") or {}
    for part in ("requests", "limits"):
        for name, value in (values.get(part) or {}).items():
            amount = quantities.parse(value)
            if amount is None:
                raise unquantified(value)
            if amount < 0:
                found.append(invalid(f"{place}.{part}[{name}]", value, "must be greater than or equal to 0"))
            if not is_qualified(name) or ("/" not in name and name not in NATIVE and not name.startswith("hugepages-")):
                found.append(invalid(f"{place}.{part}", name, "must be a standard resource type or fully qualified"))
            limit = quantities.parse(limits[name]) if name in limits else None
            if part == "requests" and limit is not None and amount > limit:
                found.append(
                    invalid(f"{place}.requests", value, f"must be less than or equal to {name} limit of {limits[name]}")
                )
            if "/" in name and (limit != amount or amount.denominator != 1):
                found.append(invalid(f"{place}.limits", name, f"must be whole and equal to the request for {name}"))
    return found


def environment(values: list, place: str) -> list:
    found = []
    for position, variable in enumerate(values):
        here = f"{place}.env[{position}]"
        if not VARIABLE.fullmatch(text(variable.get("name"), "EnvVar.name")):
            found.append(invalid(f"{here}.name", variable["name"], IS_VARIABLE))
        source = variable.get("valueFrom")
        if "value" in variable and text(variable["value"], "EnvVar.value") and source:
            found.append(f"{here}.valueFrom: Invalid value: '': may not be specified when `value` is not empty")
        if source is not None and len(source) != 1:
            found.append(f"{here}.valueFrom: Invalid value: {SOURCES}")
        for kind in ("secretKeyRef", "configMapKeyRef"):
            reference = (source or {}).get(kind)
            if reference is not None and not (
                is_subdomain(reference.get("name")) and WORD.fullmatch(reference.get("key") or "")
            ):
                found.append(f"{here}.valueFrom.{kind}: Required value")
    return found


def mounts(values: list, place: str, volumes: set) -> list:
    found, seen = [], set()
    for position, mount in enumerate(values):
        here = f"{place}.volumeMounts[{position}]"
        if mount.get("name") not in volumes:
            found.append(f"{here}.name: Not found: {mount.get('name')!r}")
        path = text(mount.get("mountPath"), "VolumeMount.mountPath")
        if not path or ":" in path:
            found.append(f"{here}.mountPath: Invalid value: {path!r}")
        if path in seen:
            found.append(invalid(f"{here}.mountPath", path, "must be unique"))
        seen.add(path)
    return found


def security(values: dict, place: str) -> list:
    found = []
    privileged = values.get("privileged") or "SYS_ADMIN" in ((values.get("capabilities") or {}).get("add") or [])
    if values.get("allowPrivilegeEscalation") is False and privileged:
        found.append(f"{place}: Invalid value: cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
    profile = values.get("seccompProfile")
    if profile is not None and profile.get("type") not in PROFILES:
        found.append(f"{place}.seccompProfile.type: Unsupported value: {profile.get('type')!r}")
    for name in ("runAsUser", "runAsGroup", "fsGroup"):
        if name in values and (isinstance(values[name], bool) or not isinstance(values[name], int)):
            kind = GO_NAMES.get(type(values[name]), "string")
            place = f"SecurityContext.{name}"
            raise Unreadable(f"json: cannot unmarshal {kind} into Go struct field {place} of type int64")
    return found


def container(values: dict, place: str, volumes: set) -> list:
    found = []
    if not is_name(values.get("name")):
        found.append(invalid(f"{place}.name", values.get("name"), IS_LABEL))
    image = text(values.get("image", ""), "Container.image")
    if not image or image != image.strip():
        found.append(f"{place}.image: Required value")
    texts(values.get("command"), "Container.command")
    texts(values.get("args"), "Container.args")
    if values.get("imagePullPolicy") not in (None, "Always", "IfNotPresent", "Never"):
        found.append(f"{place}.imagePullPolicy: Unsupported value: {values['imagePullPolicy']!r}")
    found += environment(values.get("env") or [], place)
    found += resources(values.get("resources") or {}, f"{place}.resources")
    found += mounts(values.get("volumeMounts") or [], place, volumes)
    return found + security(values.get("securityContext") or {}, f"{place}.securityContext")


def volume(values: dict, place: str) -> list:
    found = []
    if not is_name(values.get("name")):
        found.append(f"{place}.name: Invalid value: {values.get('name')!r}")
    sources = [key for key in values if key != "name"]
    if len(sources) != 1:
        found.append(f"{place}: Forbidden: may not specify more than 1 volume type, and must specify one: {sources}")
    folder = values.get("emptyDir") or {}
    if "sizeLimit" in folder and quantities.parse(folder["sizeLimit"]) is None:
        raise unquantified(folder["sizeLimit"])
    if folder.get("medium", "") not in MEDIUMS:
        found.append(f"{place}.emptyDir.medium: Unsupported value: {folder.get('medium')!r}")
    if "persistentVolumeClaim" in values and not is_subdomain(values["persistentVolumeClaim"].get("claimName")):
        found.append(f"{place}.persistentVolumeClaim.claimName: Required value")
    if "secret" in values and not is_subdomain(values["secret"].get("secretName")):
        found.append(f"{place}.secret.secretName: Required value")
    return found


def toleration(values: dict, place: str) -> list:
    found = []
    key, operator = values.get("key") or "", values.get("operator") or "Equal"
    if key and not is_qualified(key):
        found.append(f"{place}.key: Invalid value: {key!r}")
    if operator not in ("Equal", "Exists"):
        found.append(f"{place}.operator: Unsupported value: {operator!r}")
    if (operator == "Exists" and values.get("value")) or (operator == "Equal" and not key):
        found.append(invalid(f"{place}.operator", operator, "value must be empty when `operator` is 'Exists'"))
    if values.get("effect") not in EFFECTS:
        found.append(f"{place}.effect: Unsupported value: {values['effect']!r}")
    return found


def specification(values: dict) -> list:
    found, names = [], []
    volumes = values.get("volumes") or []
    known = {one.get("name") for one in volumes}
    if len(known) != len(volumes):
        found.append("spec.volumes: Duplicate value")
    for position, one in enumerate(volumes):
        found += volume(one, f"spec.volumes[{position}]")
    if not values.get("containers"):
        found.append("spec.containers: Required value")
    for part in ("initContainers", "containers"):
        for position, one in enumerate(values.get(part) or []):
            names.append(one.get("name"))
            found += container(one, f"spec.{part}[{position}]", known)
    if len(set(names)) != len(names):
        found.append("spec.containers: Duplicate value")
    for position, one in enumerate(values.get("tolerations") or []):
        found += toleration(one, f"spec.tolerations[{position}]")
    found += labels(mapping(values.get("nodeSelector"), "PodSpec.nodeSelector"), "spec.nodeSelector")
    for position, one in enumerate(values.get("imagePullSecrets") or []):
        if not is_subdomain(one.get("name")):
            found.append(f"spec.imagePullSecrets[{position}].name: Invalid value: {one.get('name')!r}")
    if values.get("restartPolicy") not in (None, "Always", "OnFailure", "Never"):
        found.append(f"spec.restartPolicy: Unsupported value: {values['restartPolicy']!r}")
    return found + numbers(values) + security(values.get("securityContext") or {}, "spec.securityContext")


def numbers(values: dict) -> list:
    found = []
    for name, least in (("activeDeadlineSeconds", 1), ("terminationGracePeriodSeconds", 0)):
        value = values.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unreadable(f"json: cannot unmarshal into Go struct field PodSpec.spec.{name} of type int64")
        if not least <= value < 2**31:
            found.append(f"spec.{name}: Invalid value: {value}: must be between {least} and 2147483647, inclusive")
    return found


def pod(values: dict) -> list:
    """What is wrong with a pod; empty where nothing is."""
    return metadata(values.get("metadata") or {}) + specification(values.get("spec") or {})
