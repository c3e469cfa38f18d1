"""The nightly run of sta410kit in Airflow.

Airflow calls the command line in the project's own environment, so neither has to agree with the packages of
the other. The command decides whether a session has closed; its exit code 12, not due, skips the task.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = "/srv/project"
RUN = ".venv/bin/sta410 run --schedule nightly --deadline 2h"
BACKUP = ".venv/bin/sta410 backup /var/backups/sta410"

with DAG(
    "sta410_night",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["sta410kit"],
) as dag:
    run = BashOperator(
        task_id="run",
        bash_command=f"cd {PROJECT} && {RUN}",
        skip_on_exit_code=12,
        retries=2,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=3),
    )
    backup = BashOperator(task_id="backup", bash_command=f"cd {PROJECT} && {BACKUP}")
    run.set_downstream(backup)
