def parameter(name):
    """A parameter of the run; Airflow has checked it against its schema."""
    return lambda context, frame: context["params"][name]


def item(loop):
    """The item of a loop."""
    return lambda context, frame: frame["items"][loop]


def outcome(task_id, depth=0):
    """How the tasks before a `finally` ended."""
    return lambda context, frame: pull(context, task_id, depth=depth, frame=frame)


def result(task_id, key, kind, depth=0):
    """What a task returned, checked before anything is decided on it."""

    def read(context, frame):
        value = pull(context, task_id, key, depth, frame)
        fits = type(value) is kind or (kind is float and type(value) is int)
        if not fits or value != value:
            raise AirflowFailException(f"`{key}` of `{task_id}` is {value!r} and no {kind.__name__}")
        return value

    return read
