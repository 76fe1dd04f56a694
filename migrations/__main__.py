"""`python -m migrations upgrade [REVISION]`, `downgrade REVISION`, `new MESSAGE`."""

from __future__ import annotations

import sys

from alembic import command

from app.config import Settings
from migrations.run import config, downgrade, upgrade


def main(arguments: list[str]) -> int:
    settings = Settings.from_env()
    match arguments:
        case ["upgrade"]:
            upgrade(settings)
        case ["upgrade", revision]:
            upgrade(settings, revision)
        case ["downgrade", revision]:
            downgrade(settings, revision)
        case ["new", *words] if words:
            command.revision(config(settings.database_url), " ".join(words), autogenerate=True)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


sys.exit(main(sys.argv[1:]))
