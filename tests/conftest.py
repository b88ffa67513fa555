"""What holds for all tests."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """The collector need not walk what was imported again and again: tests that take time measure their own work."""
    gc.collect()
    gc.freeze()
