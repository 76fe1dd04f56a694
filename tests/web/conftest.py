"""These tests go through HTTP and need only one database: the actions below are tested on both."""

import pytest
from flask import Flask

from tests.web.visit import Visitor


@pytest.fixture
def database() -> str:
    return "sqlite"


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody's browser, of nobody in particular."""
    return Visitor(app)
