class Items(BaseOperator):
    """Lists the turns of a loop: where each stands, and its item."""

    ui_color = "#e3f1e3"

    def __init__(self, *, loop, values, around=None, alive=None, **kwargs):
        super().__init__(trigger_rule=TriggerRule.NONE_FAILED, **kwargs)
        self.loop, self.values, self.around, self.alive = loop, values, around, alive

    def execute(self, context):
        frames = []
        for outer in pull(context, self.around) if self.around else [TOP]:
            if self.alive and not pull(context, self.alive[0], depth=self.alive[1], frame=outer):
                continue
            for turn, value in enumerate(self.values(context, outer)):
                frames.append(
                    {
                        "at": [*outer["at"], turn],
                        "index": [*outer["index"], len(frames)],
                        "items": {**outer["items"], self.loop: value},
                    }
                )
        return frames
