class Outcome(BaseOperator):
    """Looks how the tasks before a `finally` ended. As a teardown it runs in any case, and hides no failure."""

    template_fields = ("frame",)
    ui_color = "#f6e0f0"

    def __init__(self, *, of=None, alive=None, frame=None, **kwargs):
        super().__init__(**kwargs)
        self.of, self.alive, self.frame = of, alive, frame

    def execute(self, context):
        skip_unless(context, self.alive, self.frame or TOP)
        states = task_states(context, self.of, self.frame)
        if "failed" in states:
            return "failed"
        if "upstream_failed" in states and self.of:
            raise AirflowSkipException("what it belongs to was never started")
        return "failed" if "upstream_failed" in states else "succeeded"
