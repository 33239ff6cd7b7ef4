def task_states(context, task_ids, frame):
    """The states of tasks of this run, in the own turn of a loop."""
    turn = {"map_index": frame["index"][-1]} if frame else {}
    run = context["dag_run"]
    found = context["ti"].get_task_states(dag_id=run.dag_id, run_ids=[run.run_id], task_ids=task_ids, **turn)
    return set(found[run.run_id].values())
