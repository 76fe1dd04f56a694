"""These tests go through HTTP and need only one database: the actions below are tested on both."""

import pytest


@pytest.fixture
def database() -> str:
    return "sqlite"
