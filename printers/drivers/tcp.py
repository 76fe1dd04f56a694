"""A network printer that takes raw bytes on a port, 9100 as a rule."""

from __future__ import annotations

import socket

from printers.drivers.base import Job, PrinterFailed

TIMEOUT_S = 5.0


class TcpDriver:
    """Connects anew for every job, so that a printer switched off and on again is found."""

    keeps = False

    def __init__(self, host: str, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._host, self._port, self._timeout_s = host, port, timeout_s

    def deliver(self, job: Job) -> None:
        try:
            with socket.create_connection((self._host, self._port), self._timeout_s) as connection:
                connection.sendall(job.data)
                connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise PrinterFailed(f"{self._host}:{self._port}: {error}") from error
