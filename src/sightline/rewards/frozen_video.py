"""What the policy is asked when its video stops at the first key frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.rollout import Rollout
from sightline.media.frozen import frozen
from sightline.rewards.policy_columns import Asked


@dataclass(frozen=True)
class FrozenVideo:
    """The rollout's own prompt with its frames frozen from the first key frame on.

    The clip stops at the frame nearest in time to the first key frame. None, so nothing is asked, where the row has no
    key frame, fewer than two frames, or no times of its frames.

    Args:
        images: the column of frames, in order.
        times: the column of their times in seconds, one each.
        key_frames: the column of key frames, a list of {idx, time}.

    Example:
        >>> columns = {"images": ["a", "b", "c"], "frame_times": [0, 1, 2], "key_frames": [{"idx": 9, "time": 0.8}]}
        >>> FrozenVideo()(Rollout("", "Where to?", columns))
        Asked(prompt='Where to?', images=['a', 'b', 'b'])
    """

    images: str = "images"
    times: str = "frame_times"
    key_frames: str = "key_frames"

    def __call__(self, rollout: Rollout) -> Asked | None:
        frames, times = (_listed(rollout.columns.get(name)) for name in (self.images, self.times))
        first = _first_time(rollout.columns.get(self.key_frames))
        if first is None or len(frames) != len(times) or len(frames) < 2:
            return None
        start = int(np.argmin(np.abs(np.asarray(times, dtype=np.float64) - first)))
        return Asked(rollout.prompt, frozen(frames, start))


def _first_time(keys: Any) -> float | None:
    times = [key["time"] for key in _listed(keys) if isinstance(key, Mapping) and "time" in key]
    return float(min(times)) if times else None


def _listed(value: Any) -> Sequence[Any]:
    """The value if it is a list, else nothing."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
