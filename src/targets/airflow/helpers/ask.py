class Ask(ApprovalOperator):
    """Waits for a person's yes in Airflow's own list of questions; a no fails the task."""

    template_fields = ()
    ui_color = "#e0f7f4"

    def __init__(self, *, frame=None, **kwargs):
        super().__init__(fail_on_reject=True, **kwargs)
