"""No printer: the number is shown on the screen of the kiosk or phone only."""

from __future__ import annotations

from printers.drivers.base import Job


class OffDriver:
    """Takes everything and prints nothing."""

    keeps = True

    def deliver(self, job: Job) -> None:
        """Nothing to do."""
