"""Settings of the tests in this room."""

import gc

import pytest
from hypothesis import settings

settings.register_profile("no deadline", deadline=None)  # a busy machine is no failure
settings.load_profile("no deadline")


@pytest.fixture
def _uncollected():
    """The collector walks all objects of a test process; what it takes is not the parser's."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
