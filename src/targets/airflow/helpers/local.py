class Step(BaseOperator):
    """One task of the pipeline as a process of the worker. The launcher brings its inputs and keeps its outputs."""

    template_fields = ("frame",)
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
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
        super().__init__(do_xcom_push=returns, multiple_outputs=returns, **kwargs)
        self.frame, self.parameters, self.loops = frame, parameters, loops
        self.chosen, self.outcomes, self.alive = chosen or {}, outcomes or {}, alive
        self.secrets, self.process = secrets or {}, None

    def execute(self, context):
        skip_unless(context, self.alive, self.frame or TOP)
        with tempfile.TemporaryDirectory(prefix="mlp-") as folder:
            placed, returned = os.path.join(folder, "placed.json"), os.path.join(folder, "return.json")
            with open(placed, "w", encoding="utf-8") as file:
                file.write(TASKS[self.task_id])
            command = [os.environ.get("MLP", "mlp"), "launch", "--placed", f"@{placed}", "--return", returned]
            for name, place in self.secrets.items():
                command += ["--secret", f"{name}={place}"]
            self.process = subprocess.Popen(
                [*command, "--placement", placement(self, context)],
                env={"MLP_REGISTRY": f"{ROOT}/registry", **os.environ},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            for line in self.process.stdout:
                self.log.info("%s", line.rstrip("\n"))
            code = self.process.wait()
            if code == REFUSED:
                raise AirflowFailException(f"`{self.task_id}` did not pass; its log says why")
            if code:
                raise AirflowException(f"`{self.task_id}` ended with exit code {code}; its log says why")
            with open(returned, encoding="utf-8") as file:
                return json.load(file)

    def on_kill(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
