from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "judges")]  # for scored_members and loopback_server


@pytest.fixture
def hears_ctrl_c():
    """Commands hear Ctrl-C even where these tests run in the background of a shell, which turns it off for them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
