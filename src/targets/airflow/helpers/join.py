class Join(BaseOperator):
    """Waits for others that may be skipped."""

    template_fields = ("frame",)
    ui_color = "#f2f2f2"

    def __init__(self, *, alive=None, frame=None, **kwargs):
        super().__init__(**kwargs)
        self.alive, self.frame = alive, frame

    def execute(self, context):
        skip_unless(context, self.alive, self.frame or TOP)
