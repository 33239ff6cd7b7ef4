def secret(place):
    """A secret that the worker has: `env:NAME` or `file:PATH`."""
    kind, _, name = place.partition(":")
    if kind == "env":
        return os.environ[name]
    with open(name, encoding="utf-8") as file:
        return file.read().rstrip("\r\n")


class Step(DockerOperator):
    """One task of the pipeline as a container. The launcher brings its inputs and keeps its outputs."""

    template_fields = ("frame",)
    template_ext = ()
    pickling_library = json  # by which the operator reads what a step returns
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
        **kwargs,
    ):
        super().__init__(
            image=image or RUNTIME,
            entrypoint=["/mlp/mlp"],
            mounts=[Mount("/mlp", PROGRAM, type="volume", read_only=True), *MOUNTS],
            mount_tmp_dir=False,
            retrieve_output=returns,
            retrieve_output_path="/tmp/return.json",
            do_xcom_push=returns,
            multiple_outputs=returns,
            **{**CONTAINER, **kwargs},
        )
        self.frame, self.parameters, self.loops = frame, parameters, loops
        self.chosen, self.outcomes, self.alive = chosen or {}, outcomes or {}, alive
        self.secrets = secrets or {}

    def execute(self, context):
        skip_unless(context, self.alive, self.frame or TOP)
        # Set here, after rendering: what a step says of itself never passes a template.
        self.command = ["launch", "--placed", TASKS[self.task_id], "--placement", placement(self, context)]
        if self.retrieve_output:
            self.command += ["--return", self.retrieve_output_path]
        # Read here, by the worker, and only when the task runs.
        self._private_environment = {name: secret(place) for name, place in self.secrets.items()}
        for name in self.secrets:
            self.command += ["--secret", f"{name}=env:{name}"]
        self.bring_program()
        try:
            return super().execute(context)
        except DockerContainerFailedException as failure:
            if self.cli.inspect_container(self.container["Id"])["State"]["ExitCode"] == REFUSED:
                raise AirflowFailException(f"`{self.task_id}` did not pass; its log says why") from failure
            raise
        finally:
            if self.container:
                self.cli.remove_container(self.container["Id"], force=True)

    def bring_program(self):
        """Docker fills a new volume with what the image has at the place where it is mounted."""
        if not self.cli.images(name=RUNTIME):
            self.cli.pull(RUNTIME)
        mounts = self.cli.create_host_config(mounts=[Mount("/usr/local/bin", PROGRAM, type="volume")])
        self.cli.remove_container(self.cli.create_container(RUNTIME, command=["true"], host_config=mounts)["Id"])
