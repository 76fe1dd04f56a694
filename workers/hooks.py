"""Whoever is started dies with whoever started it, so that a killed process leaves nobody on its port."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)  # before any fork: afterwards as little as possible is done


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Ask the kernel for a signal when the parent is gone; at once when it is gone already. Linux only, else nothing."""
    if not hasattr(_libc, "prctl"):
        return
    _libc.prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def post_fork(server: Any, _worker: Any) -> None:
    """gunicorn calls this in every new worker."""
    die_with_parent(server.pid)
