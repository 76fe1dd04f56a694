"""A folder instead of a printer: bytes for a printer, text for a person, the page as PDF."""

from __future__ import annotations

import os
from pathlib import Path

from printers.drivers.base import Job, PrinterFailed


class SpoolDriver:
    """Writes `NAME.bin`, `NAME.txt` and, if there is one, `NAME.pdf`; a job already there stays as it is."""

    keeps = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, job: Job) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # a slip opens its ticket's page
            if job.pdf is not None:
                self._write(f"{job.name}.pdf", job.pdf)
            self._write(f"{job.name}.txt", job.text.encode())
            self._write(f"{job.name}.bin", job.data)  # last: where it stands, the job is whole
        except OSError as error:
            raise PrinterFailed(f"spool: {error.strerror}") from error

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        if path.exists():
            return
        draft = path.with_name(f".{name}.{os.getpid()}")
        draft.write_bytes(data)
        draft.replace(path)
