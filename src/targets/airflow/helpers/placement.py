def placement(step, context):
    """What the launcher cannot know: the facts of this run, and what Airflow decided in it."""
    ti, run, frame = context["ti"], context["dag_run"], step.frame or TOP
    depth = len(frame["at"])
    scheduled = run.logical_date or run.run_after
    return json.dumps(
        {
            "root": ROOT,
            "pipeline": run.dag_id,
            "run": run.run_id,
            "task": step.task_id,
            "attempt": ti.try_number,
            "scheduled": scheduled.isoformat(),
            "at": frame["at"],
            "items": frame["items"],
            "parameters": {name: context["params"][name] for name in step.parameters},
            "frames": {loop: [turn["at"] for turn in pull(context, f"{loop}-items")] for loop in step.loops},
            "taken": {
                branch: bool(pull(context, guard, depth=depth, frame=frame)) for branch, guard in step.chosen.items()
            },
            "outcomes": {task: pull(context, task, depth=at, frame=frame) for task, at in step.outcomes.items()},
        }
    )
