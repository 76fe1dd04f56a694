"""These tests go through HTTP and need only one database: the actions below are tested on both."""

import pytest
from flask import Flask

from tests.api.asking import Asking


@pytest.fixture
def database() -> str:
    return "sqlite"


@pytest.fixture
def ask(app: Flask) -> Asking:
    """The API as a client has it, every answer held against the document."""
    return Asking(app)
