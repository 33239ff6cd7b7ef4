TOP = {"at": [], "index": [], "items": {}}  # outside of every loop


def pull(context, task_id, key="return_value", depth=0, frame=TOP):
    """What a task gave, in the own turn of the `depth` loops around it."""
    turn = {"map_indexes": frame["index"][depth - 1]} if depth else {}
    return context["ti"].xcom_pull(task_ids=task_id, key=key, **turn)


def skip_unless(context, alive, frame=TOP):
    """Skips a task whose arm does not run; `alive` names the guard of the arm and the number of loops around it."""
    if alive and not pull(context, alive[0], depth=alive[1], frame=frame):
        raise AirflowSkipException(f"{alive[0]} did not let it run")
