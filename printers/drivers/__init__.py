"""Where printed bytes go. A printer is a URL: `spool`, `off`, `tcp://HOST:PORT`, `file:///dev/usb/lp0`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from printers.drivers.base import BadPrinter, Driver, Job, PrinterFailed
from printers.drivers.file import FileDriver
from printers.drivers.off import OffDriver
from printers.drivers.spool import SpoolDriver
from printers.drivers.tcp import TcpDriver

__all__ = ["BadPrinter", "Driver", "Job", "PrinterFailed", "driver_for"]

RAW_PORT = 9100  # what network printers listen on


def driver_for(url: str, spool_dir: Path) -> Driver:
    """The driver of a printer's URL. Raises BadPrinter for a URL that names none."""
    try:
        parts = urlsplit(url)
        port = parts.port or RAW_PORT
    except ValueError as error:
        raise BadPrinter(url) from error
    if url == "off":
        return OffDriver()
    if url == "spool":
        return SpoolDriver(spool_dir)
    if parts.scheme == "tcp" and parts.hostname and parts.path in ("", "/"):
        return TcpDriver(parts.hostname, port)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return FileDriver(Path(parts.path))
    raise BadPrinter(url)
