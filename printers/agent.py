"""The printer's agent: what a worker's job calls to put one slip on paper, once."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from printers import escpos, raster
from printers.drivers import Job, driver_for
from printers.slips import Slip, compose

MODES = ("text", "raster")


def print_slip(
    slip: Slip,
    driver_url: str,
    spool_dir: Path,
    mode: str = "text",
    *,
    font: Path | None = None,
    paper_mm: int = 80,
    pdf: bytes | None = None,
) -> str:
    """Print a slip and answer the name of the print; the same hall, ticket and copy are printed once.

    `mode` text sends GB18030 characters, raster a drawing in `font`. `pdf` is the page, for the spool. What
    a device took is noted in `spool_dir/sent`; a worker killed between the two prints twice.
    Raises PrinterFailed (try again), BadPrinter, raster.FontMissing, ValueError (do not).
    """
    if mode not in MODES or (mode == "raster" and font is None):
        raise ValueError(f"no way to print: {mode!r} with font {font}")
    name = slip.name
    if not re.fullmatch(r"[a-z0-9-]{1,64}-\d+-\d+", name):
        raise ValueError(f"no name for a print: {name!r}")
    driver = driver_for(driver_url, spool_dir)
    mark = spool_dir / "sent" / name
    if not driver.keeps and mark.exists():
        return name
    blocks = compose(slip)
    if mode == "raster" and font is not None:
        data = escpos.encode_raster(raster.draw(blocks, font, paper_mm=paper_mm))
    else:
        data = escpos.encode(blocks, paper_mm=paper_mm)
    driver.deliver(Job(name, data, escpos.as_text(blocks, paper_mm=paper_mm), pdf))
    if not driver.keeps:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return name


def forget(spool_dir: Path, older_than_s: float) -> int:
    """Remove spooled prints and marks that are older; answers how many files went."""
    before = time.time() - older_than_s
    gone = 0
    for folder in (spool_dir, spool_dir / "sent"):
        for entry in os.scandir(folder) if folder.is_dir() else ():
            if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < before:
                os.unlink(entry.path)
                gone += 1
    return gone
