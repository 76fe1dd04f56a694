"""The schema's history, applied by Alembic: `python -m migrations upgrade`."""
