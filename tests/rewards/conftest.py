from __future__ import annotations

import pytest

from tests.rewards.replying import ASKED


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:
    ASKED.clear()
