"""What a driver is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class PrinterFailed(Exception):
    """The printer did not take the job; try again later."""


class BadPrinter(ValueError):
    """A printer's URL that names no printer; trying again will not help."""

    def __init__(self, url: str) -> None:
        super().__init__(f"not a printer: {url!r} (spool, off, tcp://HOST:PORT or file:///dev/...)")


@dataclass(frozen=True, slots=True)
class Job:
    """One print. `name` makes it one; `text` and `pdf` are for drivers that keep something readable."""

    name: str
    data: bytes
    text: str = ""
    pdf: bytes | None = None


class Driver(Protocol):
    """Takes a job to the paper and returns when it has been handed over."""

    keeps: bool  # it knows by itself what it has printed

    def deliver(self, job: Job) -> None:
        """Hand the job over whole. Raises PrinterFailed."""
