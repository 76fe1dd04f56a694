"""The application without its pages, for processes that serve none."""

from __future__ import annotations

from flask import Flask

from app import db, privacy
from app.config import Settings


def bare_app(settings: Settings) -> Flask:
    """Database, keys and settings; no routes, no templates, no limits."""
    app = Flask("workers", static_folder=None)
    app.extensions["settings"] = settings
    app.config["SECRET_KEY"] = settings.secret_key
    privacy.use_keys(settings.secret_key, settings.secret_key_fallbacks)
    db.init_app(app, settings)
    return app
