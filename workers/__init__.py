"""The processes behind the doors: relay, jobs, timer, live gateway, the front door and what starts them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]  # where `python -m workers` and `wsgi` are found
