"""Makes the database ready: migrations, and the demo network when there is no hall yet. Prints what came of it as JSON."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from app.config import Settings
from app.db import db
from app.demo import accounts, ensure_demo, pairing_codes
from app.people.models import Staff
from migrations.run import upgrade
from workers.bare import bare_app


def main(settings: Settings) -> int:
    """Migrate, load, and tell the launcher what a newcomer needs: nothing in a network that is not the demo's."""
    upgrade(settings)
    told: dict[str, Any] = {"accounts": [], "codes": []}
    if settings.demo:
        app = bare_app(settings)
        ensure_demo(app)
        with app.app_context():
            there = set(db.session.execute(select(Staff.username).where(Staff.active)).scalars())
            told["accounts"] = [account for account in accounts() if account["username"] in there]
            told["codes"] = pairing_codes() if told["accounts"] else []
    print(json.dumps(told, ensure_ascii=False))
    return 0
