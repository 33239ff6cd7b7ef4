class Notify:
    """Calls a function of Airflow's environment, which is imported only when there is something to tell."""

    def __init__(self, path):
        self.module, _, self.function = path.rpartition(".")

    def __call__(self, context):
        getattr(importlib.import_module(self.module), self.function)(context)
