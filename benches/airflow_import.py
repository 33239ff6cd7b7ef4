"""Says how long the real Airflow takes to import one DAG file, and what it found in it; `airflow.py` compares the answers.

    ENV/bin/python -P benches/airflow_import.py [--facts] [--bytecode] --warm FILE… -- FILE

Airflow, its provider and whatever either imports at first use are there before the clock runs: the files after `--warm` are
imported first. `-P` is needed, since `airflow.py` beside this file would be taken for Airflow. Without `--bytecode` the file
is compiled from source each time, as where Airflow may not write below the folder of DAGs. Nothing is run, and no database
is looked at.
"""

import argparse
import gc
import json
import logging
import os
import py_compile
import sys
import tempfile
import time

# What both files must say alike of a task, however they spell it.
OF_TASKS = (
    "retries",
    "retry_delay",
    "retry_exponential_backoff",
    "max_retry_delay",
    "execution_timeout",
    "trigger_rule",
    "do_xcom_push",
    "pool",
    "owner",
)
OF_PODS = (
    "image",
    "image_pull_policy",
    "namespace",
    "kubernetes_conn_id",
    "automount_service_account_token",
    "labels",
    "env_vars",
    "security_context",
    "container_security_context",
    "init_containers",
    "volumes",
    "volume_mounts",
    "container_resources",
    "active_deadline_seconds",
    "startup_timeout_seconds",
    "startup_check_interval_seconds",
    "termination_grace_period",
    "on_finish_action",
    "log_events_on_failure",
    "log_pod_spec_on_failure",
)


def imported(path: str):
    """The only DAG of a file, and the seconds that Airflow took to read it."""
    from airflow.dag_processing.dagbag import DagBag

    begin = time.perf_counter()
    bag = DagBag(path)
    seconds = time.perf_counter() - begin
    if bag.import_errors or len(bag.dags) != 1:
        sys.exit(f"{path} has {len(bag.dags)} DAGs\n" + "\n".join(map(str, bag.import_errors.values())))
    return next(iter(bag.dags.values())), seconds


def edges(dag) -> list:
    return sorted([task.task_id, below] for task in dag.tasks for below in task.downstream_task_ids)


def said(task) -> dict:
    """The settings of a task. A name that an operator no longer has is an error: it would compare nothing."""
    names = OF_TASKS + (OF_PODS if hasattr(task, "init_containers") else ())
    return {name: repr(getattr(task, name)) for name in names}


def serialised(dag) -> int:
    """Bytes of the JSON that Airflow keeps in its database."""
    from airflow.serialization.serialized_objects import DagSerialization

    return len(json.dumps(DagSerialization.to_dict(dag)).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", action="store_true", help="also every edge, every setting, and the serialised size")
    parser.add_argument("--bytecode", action="store_true", help="let Python find the file compiled")
    parser.add_argument("--warm", nargs="+", default=[])
    parser.add_argument("file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        os.environ |= {"AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "0", "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        logging.disable(logging.CRITICAL)
        sys.dont_write_bytecode = True
        import airflow.providers.cncf.kubernetes.operators.pod  # noqa: F401
        import airflow.serialization.serialized_objects  # noqa: F401

        for path in arguments.warm:
            imported(path)
        if arguments.bytecode:
            py_compile.compile(arguments.file, doraise=True)
        gc.collect()
        dag, seconds = imported(arguments.file)
        found = {"seconds": seconds, "tasks": len(dag.tasks), "edges": len(edges(dag))}
        if arguments.facts:
            found["all_edges"] = edges(dag)
            found["settings"] = {task.task_id: said(task) for task in dag.tasks}
            found["serialised"] = serialised(dag)
        print(json.dumps(found))


if __name__ == "__main__":
    main()
