"""Rewards that a served process loads: one that counts its calls in a file, one that groups, one that opens files."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import ClassVar

from sightline import RowReward, Score, abstain, failed
from sightline.media import images


@dataclass(frozen=True)
class Says(RowReward):
    """1 where the answer is said; sleeps `pause` seconds, waits until there is a file `hold`, writes `id` into the file
    $COUNTED, fails on demand."""

    reads: ClassVar[tuple[str, ...]] = ("answer",)
    may_read: ClassVar[tuple[str, ...]] = ("pause", "hold", "id", "fault")

    def row(self, rollout):
        columns = rollout.columns
        time.sleep(columns.get("pause") or 0)
        while columns.get("hold") and not os.path.exists(columns["hold"]):
            time.sleep(0.01)
        if columns.get("id") is not None:
            with open(os.environ["COUNTED"], "a") as file:
                file.write(f"{columns['id']}\n")
        fault = columns.get("fault")
        if fault == "crash":
            raise RuntimeError("a fault of ours")
        if fault == "exit":
            raise SystemExit(3)
        if fault == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "half":
            return Score(1.0, "half of a pair: \ud800")
        if fault:
            return abstain("asked to") if fault == "abstain" else failed("asked to")
        return Score(float(str(columns["answer"]) in rollout.text), "looked for it")


@dataclass(frozen=True)
class Opens(RowReward):
    """The width of the picture in a column that no server knows as one, and of `images`."""

    may_read: ClassVar[tuple[str, ...]] = ("images", "hint")
    range: ClassVar[tuple[float, float]] = (0.0, 1e9)

    def row(self, rollout):
        given = rollout.columns.get("hint") or rollout.columns["images"][0]
        return Score(float(images.load(given).width), "opened")


says = Says().named("says")
total = says + 0.1 * says.group_count().named("company")
opens = Opens()
