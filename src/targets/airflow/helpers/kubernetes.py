def shielded(text):
    """JSON in which Kubernetes finds no `$(NAME)`: it would put the value of a variable there."""
    return text.replace("$", "\\u0024")


def scratch(size=None):
    """A pod's own space at /tmp."""
    return k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource(size_limit=size))


SCRATCH = scratch()  # one for all pods: making one takes longer than all else that a task needs


class Step(KubernetesPodOperator):
    """One task of the pipeline as a pod. The launcher brings its inputs and keeps its outputs."""

    template_fields = ("frame",)
    template_ext = ()
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        image=None,
        frame=None,
        parameters=(),
        loops=(),
        chosen=None,
        outcomes=None,
        alive=None,
        returns=False,
        secrets=None,
        disk=None,
        volumes=(),
        volume_mounts=(),
        **kwargs,
    ):
        self.secret_names = sorted(secrets or {})
        super().__init__(
            image=image or RUNTIME,
            cmds=["/mlp/mlp"],
            init_containers=[BRING],
            volumes=[PROGRAM, scratch(disk) if disk else SCRATCH, *volumes],
            volume_mounts=[PROGRAM_MOUNT, SCRATCH_MOUNT, *volume_mounts],
            secrets=[Secret("env", name, *place.split("/", 1)) for name, place in (secrets or {}).items()],
            # Of the own image alone it is known that it writes nowhere but below /tmp.
            container_security_context=WRITABLE if image else LOCKED,
            xcom_sidecar_container_security_context=LOCKED,
            do_xcom_push=returns,
            multiple_outputs=returns,
            **{**POD, **kwargs},
        )
        self.frame, self.parameters, self.loops = frame, parameters, loops
        self.chosen, self.outcomes, self.alive = chosen or {}, outcomes or {}, alive

    def execute(self, context):
        skip_unless(context, self.alive, self.frame or TOP)
        # Set here, after rendering: what a step says of itself never passes a template.
        placed, where = shielded(TASKS[self.task_id]), shielded(placement(self, context))
        self.arguments = ["launch", "--placed", placed, "--placement", where]
        for name in self.secret_names:
            self.arguments += ["--secret", f"{name}=env:{name}"]
        if self.do_xcom_push:
            self.arguments += ["--return", "/airflow/xcom/return.json"]
        return super().execute(context)

    def cleanup(self, pod, remote_pod, xcom_result=None, context=None):
        try:
            super().cleanup(pod, remote_pod, xcom_result, context)
        except AirflowException as failure:
            states = (remote_pod.status.container_statuses or []) if remote_pod and remote_pod.status else []
            ended = [state.state.terminated for state in states if state.name == self.base_container_name]
            if any(state and state.exit_code == REFUSED for state in ended):
                raise AirflowFailException(f"`{self.task_id}` did not pass; its log says why") from failure
            raise

    def on_kill(self):
        # A retry must not take the pod that is being deleted for its own.
        if self.pod:
            self.patch_already_checked(self.pod, reraise=False)
        super().on_kill()
