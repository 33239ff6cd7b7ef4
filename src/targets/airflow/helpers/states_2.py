def task_states(context, task_ids, frame):
    """The states of tasks of this run, in the own turn of a loop."""
    return {
        ti.state
        for ti in context["dag_run"].get_task_instances()
        if (task_ids is None or ti.task_id in task_ids) and (not frame or ti.map_index == frame["index"][-1])
    }
