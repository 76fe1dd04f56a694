"""The way into RQ: which jobs there are, on which queue each waits, and how one is entered once."""

from __future__ import annotations

from typing import Any

import redis
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

# job → its queue; a worker takes the queues in this order, so that nobody waits at a kiosk or a desk for an archive
JOBS = {"print_slip": "slips", "render_batch": "batches", "archive_notice": "papers"}
QUEUES = tuple(dict.fromkeys(JOBS.values()))

TIMEOUT_S = 60
LONG_S = {"render_batch": 300}  # jobs that may take longer
FAILED_S = 24 * 3600  # how long a failed job can be looked at
_OVER = {JobStatus.FAILED, JobStatus.FINISHED, JobStatus.STOPPED, JobStatus.CANCELED}


class Jobs:
    """Enters jobs. A job holds only ids; its name is its work, so it waits at most once."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection
        self._queues = {name: Queue(name, connection=connection, serializer=JSONSerializer) for name in QUEUES}

    def enqueue(self, job: str, hall: str, number: int) -> bool:
        """Whether the job was entered; not when it waits or runs already. One that failed before gets another try.

        Raises redis.RedisError when Redis is away.
        """
        name = f"{job}-{hall}-{number}"
        try:
            self._enter(job, name, hall, number)
        except DuplicateJobError:
            if not self._forget(name):
                return False
            self._enter(job, name, hall, number)
        return True

    def _enter(self, job: str, name: str, hall: str, number: int) -> None:
        self._queues[JOBS[job]].enqueue_call(
            f"workers.jobs.{job}",
            args=[hall, number],
            job_id=name,
            unique=True,
            timeout=LONG_S.get(job, TIMEOUT_S),
            result_ttl=0,  # a job that is done leaves nothing behind
            failure_ttl=FAILED_S,
            description=name,
        )

    def _forget(self, name: str) -> bool:
        """Remove a job that is over; False while it waits or runs."""
        try:
            known: Any = Job.fetch(name, connection=self._connection, serializer=JSONSerializer)
            if known.get_status() not in _OVER:
                return False
            known.delete()
        except NoSuchJobError:
            pass
        return True
