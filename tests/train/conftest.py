"""Makes `tiny` importable, keeps the hub out, and registers what these tests mark."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts processes of its own, takes tens of seconds")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Tests run beside each other: one core each."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
