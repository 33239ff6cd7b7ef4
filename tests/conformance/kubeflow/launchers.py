"""Deployment to Vertex AI: the containers that `mlp build` writes for Google's own components, run by Google's own launchers.

The launchers run as they are; only the transport is replaced. Every request that they would have sent is parsed by the
protobufs of the API, strictly, and compared with what the program says.
"""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

import yaml
from google.cloud.aiplatform_v1 import types as api
from google.protobuf import json_format

from suite import expect, main, mlp

EXAMPLE = "examples/credit"
HOSTILE = "it's \"quoted\" {{$.inputs.parameters['x']}} \\ \u00e9"
KEY = "projects/bank-ml/locations/europe-west4/keyRings/ml/cryptoKeys/pipelines"
TARGET = f"""
target prod: vertex {{
  project: "bank-ml"
  region: "europe-west4"
  root: "gs://bank-ml/pipelines"
  service_account: "trainer@bank-ml.iam.gserviceaccount.com"
  encryption_key: "{KEY}"
  labels: {{ team: "risk" }}
}}
"""


def project(folder: Path, service: str) -> Path:
    """The credit example with another service, for Vertex AI."""
    example = Path(__file__).resolve().parents[3] / EXAMPLE
    source = (example / "main.mlp").read_text(encoding="utf-8")
    begin = source.index("service CreditApi")
    end = source.index("\n}\n", begin) + 3
    # The comment above the service is its description.
    begin = source.rindex("\n\n", 0, begin) + 2
    text = source[:begin] + service + source[end:] + TARGET
    for path in [example / "mlp.toml", *example.glob("*.py"), *example.glob("[!.]*.mlp")]:
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "main.mlp").write_text(text, encoding="utf-8")
    return folder


def build(service: str) -> dict:
    """What `mlp build` writes, with the tasks' names as keys of their executors."""
    with tempfile.TemporaryDirectory() as name:
        folder = project(Path(name), service)
        built = mlp("build", str(folder), "--target", "prod", "-o", str(folder / "out"))
        expect(built.returncode == 0, built.stdout + built.stderr)
        files = list((folder / "out").glob("*.yaml"))
        expect(len(files) == 1, f"one file, not {files}")
        return yaml.safe_load(files[0].read_text(encoding="utf-8"))


class Transport:
    """Answers every request with a finished operation, and keeps what was asked."""

    def __init__(self):
        self.asked = []

    def post(self, url, data, headers):
        expect(headers["Authorization"] == "Bearer token", "the launcher is not signed in")
        self.asked.append((url, json.loads(data)))
        done = {
            "name": "projects/1/locations/europe-west4/operations/2",
            "done": True,
            "response": {
                "model": "projects/1/locations/europe-west4/models/3",
                "modelVersionId": "4",
                "name": "projects/1/locations/europe-west4/endpoints/5",
            },
        }
        return mock.Mock(json=lambda: done)


def launch(spec: dict, suffix: str, artifacts: dict) -> tuple:
    """Runs the launcher of the task whose name ends so; the request, and the metadata of what it gives."""
    labels = [label for label in spec["deploymentSpec"]["executors"] if label.endswith(suffix)]
    expect(len(labels) == 1, f"one executor that ends in {suffix}, not {labels}")
    container = spec["deploymentSpec"]["executors"][labels[0]]["container"]
    expect(container["command"][:3] == ["python3", "-u", "-m"], str(container["command"]))
    component = next(part for part in spec["components"].values() if part.get("executorLabel") == labels[0])
    declared = set(component.get("inputDefinitions", {}).get("artifacts", {}))
    expect(declared == set(artifacts), f"{labels[0]} takes {declared}")
    with tempfile.TemporaryDirectory() as folder:
        output_file = os.path.join(folder, "output.json")
        resources = os.path.join(folder, "resources")
        given = {
            "inputs": {"artifacts": {name: {"artifacts": [value]} for name, value in artifacts.items()}},
            "outputs": {
                "outputFile": output_file,
                "artifacts": {
                    name: {"artifacts": [{"name": name, "uri": "gs://x", "type": definition["artifactType"]}]}
                    for name, definition in component["outputDefinitions"].get("artifacts", {}).items()
                },
            },
        }
        arguments = [resolved(each, given, resources) for each in container["args"]]
        transport = Transport()
        signed_in = mock.Mock(valid=True, token="token")
        module = importlib.import_module(container["command"][3])
        with (
            mock.patch("google.auth.default", return_value=(signed_in, "bank-ml")),
            mock.patch("requests.post", transport.post),
        ):
            module.main(arguments)
        expect(os.path.getsize(resources) > 0, "the launcher's job is not written down")
        found = json.load(open(output_file, encoding="utf-8")) if os.path.exists(output_file) else {}
    expect(len(transport.asked) == 1, f"one request, not {len(transport.asked)}")
    return transport.asked[0], found


def resolved(argument: str, given: dict, resources: str) -> str:
    """An argument with its placeholders replaced, as the platform does."""
    if argument == "{{$}}":
        return json.dumps(given)
    argument = argument.replace("{{$.outputs.parameters['gcp_resources'].output_file}}", resources)
    for name, artifact in given["inputs"]["artifacts"].items():
        resource = artifact["artifacts"][0]["metadata"].get("resourceName", "")
        argument = argument.replace("{{$.inputs.artifacts['%s'].metadata['resourceName']}}" % name, resource)
    expect("{{" not in argument, f"a placeholder is left: {argument}")
    return argument


def parsed(message, body: dict):
    """A request as the API's protobuf; an unknown field is an error."""
    return message.wrap(json_format.ParseDict(body, message.pb()()))


MODEL = {
    "name": "1",
    "uri": "gs://bank-ml/registry/credit-risk/1/model",
    "metadata": {
        "containerSpec": {"imageUri": "serve@sha256:aa", "predictRoute": "/predict", "healthRoute": "/health"}
    },
}
VERTEX_MODEL = {"name": "2", "uri": "x", "metadata": {"resourceName": "projects/1/locations/europe-west4/models/3@4"}}
ENDPOINT = {"name": "3", "uri": "x", "metadata": {"resourceName": "projects/1/locations/europe-west4/endpoints/5"}}


def new_endpoint(_: None) -> None:
    """A service that names no endpoint gets one."""
    spec = build(
        f'''/// {HOSTILE}
service CreditApi for CreditModel {{
  platform: vertex {{ image: "serve@sha256:aa", machine: "n1-highmem-2" }}
  replicas: 2..=5
}}
'''
    )
    (url, body), found = launch(spec, "-upload", {"unmanaged_container_model": MODEL})
    expect(url.endswith("/v1/projects/bank-ml/locations/europe-west4/models:upload"), url)
    model = parsed(api.UploadModelRequest, body).model
    expect(model.display_name == "credit-risk", model.display_name)
    expect(model.description == HOSTILE, repr(model.description))
    expect(model.artifact_uri == MODEL["uri"], model.artifact_uri)
    expect(model.container_spec.image_uri == "serve@sha256:aa", str(model.container_spec))
    expect(model.container_spec.predict_route == "/predict", str(model.container_spec))
    expect(model.encryption_spec.kms_key_name == KEY, str(model.encryption_spec))
    expect(model.labels["team"] == "risk", str(model.labels))
    given = found["artifacts"]["model"]["artifacts"][0]
    expect(given["metadata"]["resourceName"] == VERTEX_MODEL["metadata"]["resourceName"], str(given))

    (url, body), found = launch(spec, "-endpoint", {})
    expect(url.endswith("/v1/projects/bank-ml/locations/europe-west4/endpoints"), url)
    endpoint = parsed(api.Endpoint, body)
    expect(endpoint.display_name == "CreditApi", endpoint.display_name)
    expect(endpoint.encryption_spec.kms_key_name == KEY, str(endpoint.encryption_spec))
    given = found["artifacts"]["endpoint"]["artifacts"][0]
    expect(given["metadata"]["resourceName"] == ENDPOINT["metadata"]["resourceName"], str(given))

    (url, body), _ = launch(spec, "-rollout", {"model": VERTEX_MODEL, "endpoint": ENDPOINT})
    expect(url.endswith("/endpoints/5:deployModel"), url)
    request = parsed(api.DeployModelRequest, body)
    expect(dict(request.traffic_split) == {"0": 100}, str(request.traffic_split))
    deployed = request.deployed_model
    expect(deployed.model == VERTEX_MODEL["metadata"]["resourceName"], deployed.model)
    expect(deployed.service_account == "trainer@bank-ml.iam.gserviceaccount.com", deployed.service_account)
    machines = deployed.dedicated_resources
    expect(machines.machine_spec.machine_type == "n1-highmem-2", str(machines))
    expect((machines.min_replica_count, machines.max_replica_count) == (2, 5), str(machines))


def known_endpoint(_: None) -> None:
    """A service that names its endpoint and its model in the registry gets a new version there."""
    spec = build(
        '''/// Scores.
service CreditApi for CreditModel {
  platform: vertex {
    image: "serve@sha256:aa"
    endpoint: "projects/bank-ml/locations/europe-west4/endpoints/9"
    model: "projects/bank-ml/locations/europe-west4/models/8"
  }
}
'''
    )
    (_, body), _ = launch(spec, "-upload", {"unmanaged_container_model": MODEL})
    request = parsed(api.UploadModelRequest, body)
    expect(request.parent_model == "projects/bank-ml/locations/europe-west4/models/8", request.parent_model)
    expect(not any(label.endswith("-endpoint") for label in spec["deploymentSpec"]["executors"]), "an endpoint is made")
    (url, body), _ = launch(spec, "-rollout", {"model": VERTEX_MODEL})
    expect(url.endswith("/projects/bank-ml/locations/europe-west4/endpoints/9:deployModel"), url)
    request = parsed(api.DeployModelRequest, body)
    expect(request.endpoint == "projects/bank-ml/locations/europe-west4/endpoints/9", request.endpoint)
    expect(request.deployed_model.dedicated_resources.machine_spec.machine_type == "n1-standard-4", str(request))


def order(_: None) -> None:
    """The alias moves after the rollout, and the rollout waits for the upload and the endpoint."""
    spec = build(
        '''/// Scores.
service CreditApi for CreditModel {
  platform: vertex { image: "serve@sha256:aa" }
}
'''
    )
    tasks = spec["root"]["dag"]["tasks"]
    by_end = lambda end: next(name for name in tasks if name.endswith(end))
    rollout = by_end("-rollout")
    expect(set(tasks[rollout]["dependentTasks"]) == {by_end("-upload"), by_end("-endpoint")}, str(tasks[rollout]))
    last = rollout.removesuffix("-rollout")
    expect(rollout in tasks[last]["dependentTasks"], str(tasks[last]))
    for name in (rollout, by_end("-upload"), by_end("-endpoint"), last):
        expect(tasks[name]["cachingOptions"] == {}, f"{name} may be taken from an earlier run")


def run(case) -> None:
    case(None)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(run, {"new_endpoint": new_endpoint, "known_endpoint": known_endpoint, "order": order})
