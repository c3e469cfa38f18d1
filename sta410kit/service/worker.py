"""The worker: executes queued jobs, each as one command line, and looks after those of services that died.

A job's end is decided by what its process left: its output, else its run folder. A job whose process began no
run goes back into the queue. Jobs of a dead worker are taken over at once where it shared the run store,
because its locks are seen there; those of a host that is out of sight are given up after a while.
"""

import os
import secrets
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import IO

from loguru import logger

from sta410kit.exceptions import DatabaseError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.alerts import report_failure
from sta410kit.secrets import learn_configured_secrets
from sta410kit.service import queue
from sta410kit.service.database import Database
from sta410kit.service.process import FOLDER, JobProcess, hold_lock, is_locked, store_id
from sta410kit.service.queue import Ending, Job

_POLL = 0.5  # seconds between two looks at queue and processes
_CARE = 10.0  # seconds between two looks for jobs without a worker
_TROUBLE = 3.0  # seconds to wait when the database does not answer
_GRACE = 30.0  # seconds from the interruption of a run until it is killed
SILENCE = 900.0  # seconds without a sign of life after which a job of another host is given up
ATTEMPTS = 3  # starts of a job of which no run began


class Worker:
    """Executes jobs of the queue in a thread of its own."""

    def __init__(self, database: Database, project: Path, concurrency: int) -> None:
        self._database, self._project, self._concurrency = database, project, concurrency
        self._jobs = project / "runs" / FOLDER
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._processes: dict[int, JobProcess] = {}
        self._care_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sta410-worker")
        self._lock: IO[bytes] | None = None  # tells others that this worker is alive
        self._store = ""
        self._said = ""  # what the queue waits for

    def start(self) -> None:
        """Begin to work."""
        learn_configured_secrets(self._project)
        self._store = store_id(self._project / "runs")
        self._lock = hold_lock(self._lock_of(self.name))
        self._thread.start()

    def is_alive(self) -> bool:
        """Tell whether it works."""
        return self._thread.is_alive()

    def stop(self, patience: float = 25.0) -> None:
        """Interrupt what runs, put it back into the queue, and end.

        A run that needs longer than `patience` seconds goes on by itself; the next service looks after it.
        """
        self._stop.set()
        self._thread.join()
        for process in self._processes.values():
            process.interrupt(_GRACE)
        deadline = time.monotonic() + patience
        while self._processes and time.monotonic() < deadline:
            try:
                self._look_after_processes()
            except (DatabaseError, OSError) as error:
                self._say(error)
                break
            time.sleep(0.1)
        if self._lock is not None:
            self._lock.close()
        self._lock_of(self.name).unlink(missing_ok=True)

    def _work(self) -> None:
        while not self._stop.is_set():
            pause = _POLL
            try:
                self._round()
                self._said = ""
            except (DatabaseError, OSError) as error:  # the database is down, or the disk is full
                self._say(error)
                pause = _TROUBLE
            except Exception:  # noqa: BLE001 - a defect must not end the queue; it is logged each time
                logger.exception("the worker met a defect of the kit; it goes on")
                pause = _TROUBLE
            self._stop.wait(pause)

    def _round(self) -> None:
        self._look_after_processes()
        held = {job.id: job for job in queue.held_by(self._database, self.name)}
        for number, process in list(self._processes.items()):
            if number not in held:  # another worker has it: this one was taken for dead
                del self._processes[number]
            elif held[number].cancelled_by:
                process.interrupt(_GRACE)
        if time.monotonic() >= self._care_at:
            queue.beat(self._database, self.name)
            for job in held.values():
                if job.id not in self._processes:  # claimed, but the answer was lost
                    self._processes[job.id] = JobProcess(self._project, job)
            self._recover()
            self._care_at = time.monotonic() + _CARE
        while len(self._processes) < self._concurrency and not self._stop.is_set():
            claimed = queue.claim(self._database, self.name, self._store)
            if claimed is None:
                break
            self._begin(claimed)

    def _begin(self, job: Job) -> None:
        process = JobProcess(self._project, job)
        try:
            started = process.start(lambda: queue.change(self._database, job, heartbeat=self._database.now))
        except OSError as error:
            why = f"{error.filename or self._jobs} cannot be written ({error.strerror}); no run began"
            self._finish(
                job, Ending(ExitCode.INTERNAL.name, int(ExitCode.INTERNAL), message=why), began=False
            )
            process.forget()
            return
        if started or process.is_alive():
            self._processes[job.id] = process

    def _look_after_processes(self) -> None:
        for number, process in list(self._processes.items()):
            if process.is_alive():
                if not process.run and process.find_run():
                    queue.change(self._database, process.job, run=process.run)
                continue
            self._conclude(process)
            del self._processes[number]

    def _conclude(self, process: JobProcess) -> None:
        """Put the end of a job on record, or the job back into the queue."""
        job = queue.find_job(self._database, process.job.id)
        ending = process.ending()
        interrupted = ending is None or ending.outcome == ExitCode.INTERRUPTED.name
        if self._stop.is_set() and interrupted and not job.cancelled_by:
            done = queue.requeue(self._database, process.job, counts=False)
        elif ending is None and not job.cancelled_by and job.attempts < ATTEMPTS:
            done = queue.requeue(self._database, process.job)
        else:
            if ending is None:
                why = f"started {job.attempts} times, and each time its process was gone before a run began"
                ending = Ending(queue.CANCELLED if job.cancelled_by else queue.KILLED, message=why)
            if job.cancelled_by and interrupted:
                ending = replace(ending, message=f"cancelled by {job.cancelled_by}")
            done = self._finish(process.job, ending)
        if done:
            process.forget()

    def _finish(self, job: Job, ending: Ending, *, began: bool = True) -> bool:
        """Put the end of a job on record, and report what no run can: that it was killed, or never began."""
        done = queue.finish(self._database, job, ending)
        if done and job.schedule and (ending.outcome == queue.KILLED or not began):
            arguments = (self._project, job.schedule, ending.message, ending.outcome)
            threading.Thread(target=report_failure, args=arguments, daemon=True).start()
        return done

    def _recover(self) -> None:
        """Take over the jobs of workers that died."""
        near, far = queue.running_elsewhere(self._database, self.name, self._store, SILENCE)
        for job in near:
            if not is_locked(self._lock_of(job.worker)) and queue.change(
                self._database, job, worker=self.name, heartbeat=self._database.now
            ):
                taken = queue.find_job(self._database, job.id)
                self._processes[job.id] = JobProcess(self._project, taken)
                self._lock_of(job.worker).unlink(missing_ok=True)
        for job in far:
            message = f"nothing was heard of worker {job.worker} for {SILENCE / 60:.0f} min"
            self._finish(job, Ending(queue.KILLED, run=job.run, message=message))

    def _lock_of(self, worker: str) -> Path:
        return self._jobs / f"{worker}.lock"

    def _say(self, error: Exception) -> None:
        reason = str(error)
        if reason != self._said:
            logger.warning("the queue waits: {}", reason)
        self._said = reason
