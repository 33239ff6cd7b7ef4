class When(BaseOperator):
    """An arm of a branch: skips itself, and so what follows, unless the condition holds."""

    template_fields = ("frame",)
    ui_color = "#fff4d6"

    def __init__(self, *, holds, values, frame=None, **kwargs):
        super().__init__(**kwargs)
        self.holds, self.values, self.frame = holds, values, frame

    def execute(self, context):
        values = {name: read(context, self.frame or TOP) for name, read in self.values.items()}
        if not self.holds(**values):
            raise AirflowSkipException(f"it does not hold for {values}")
        return True
