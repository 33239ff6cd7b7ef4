"""What a pod needs of Kubernetes."""

from kfp import dsl, kubernetes

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.pipeline(name="kubernetes")
def pipeline():
    task = say(text="it")
    kubernetes.set_timeout(task, 600)
    kubernetes.add_node_selector(task, "disk", "fast")
    kubernetes.add_toleration(task, key="gpu", operator="Equal", value="true", effect="NoExecute")
    kubernetes.mount_pvc(task, pvc_name="data", mount_path="/data")
    kubernetes.use_secret_as_volume(task, secret_name="keys", mount_path="/keys")
    kubernetes.use_config_map_as_volume(task, config_map_name="settings", mount_path="/settings")
    kubernetes.empty_dir_mount(task, volume_name="dev-shm", mount_path="/dev/shm", medium="Memory", size_limit="1Gi")
    kubernetes.use_secret_as_env(task, secret_name="database", secret_key_to_env={"password": "DB_PASSWORD"})
    kubernetes.add_pod_label(task, "team", "ml")
    kubernetes.add_pod_annotation(task, "example.com/why", "it's \"so\"")
