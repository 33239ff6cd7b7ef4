"""Retries, caching, environment, resources and accelerators."""

from kfp import dsl, kubernetes

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def say(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["say", text, output])


@dsl.container_component
def train(text: str, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["train", text, output])


@dsl.pipeline(name="settings")
def pipeline():
    plain = say(text="plain")
    plain.set_caching_options(False)
    retried = say(text="retried")
    retried.set_retry(3, backoff_duration="30s", backoff_factor=2.0, backoff_max_duration="600s")
    task = train(text="it")
    task.set_env_variable("LANG", "C.UTF-8").set_env_variable("QUOTED", "it's \"so\" $HOME")
    task.set_cpu_limit("4").set_memory_limit("16Gi")
    task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(2)
    kubernetes.set_timeout(task, 3600)
