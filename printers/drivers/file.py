"""A printer that the system shows as a file, such as /dev/usb/lp0."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

from printers.drivers.base import Job, PrinterFailed

TIMEOUT_S = 10.0


class FileDriver:
    """Never hangs on a printer that is out of paper. The file must exist: a typo is not a printer."""

    keeps = False

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._path, self._timeout_s = path, timeout_s

    def deliver(self, job: Job) -> None:
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
            try:
                self._write(handle, job.data)
            finally:
                os.close(handle)
        except OSError as error:
            raise PrinterFailed(f"{self._path}: {error.strerror}") from error

    def _write(self, handle: int, data: bytes) -> None:
        deadline = time.monotonic() + self._timeout_s
        while data:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [handle], [], left)[1]:
                raise PrinterFailed(f"{self._path}: not ready (out of paper?)")
            try:
                data = data[os.write(handle, data) :]
            except BlockingIOError:
                continue
