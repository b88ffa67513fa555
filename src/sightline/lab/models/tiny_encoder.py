"""A small encoder of picture patches and two policies on top of it: the least that can learn a task by looking.

An item is five patches of 32x32 grey pixels: the four quadrants of the first picture, and the second picture. Features
of the encoder can be taken from one policy to another. Knows no rewards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SIDE, WIDTH = 32, 32


def encoder(seed: int) -> Any:
    """An untrained encoder (N, 1, 32, 32) -> (N, 32)."""
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 16, 5, 2, 2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, WIDTH),
        )


def matcher(trunk: Any) -> Any:
    """Chooses the quadrant whose features are most like those of the second picture: (B, 5, 1, 32, 32) -> (B, 4)."""
    import torch
    from torch import nn

    class Matcher(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = trunk
            self.sharpness = nn.Parameter(torch.tensor(5.0))

        def forward(self, patches: Any) -> Any:
            found = nn.functional.normalize(self.trunk(patches.flatten(0, 1)), dim=-1).view(len(patches), 5, -1)
            return self.sharpness * (found[:, :4] * found[:, 4:]).sum(-1)

    return Matcher()


def classifier(trunk: Any, answers: int, seed: int) -> Any:
    """Chooses an answer by the features of the first quadrant and of the second picture: -> (B, answers)."""
    import torch
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = trunk
            self.head = nn.Sequential(nn.Linear(2 * WIDTH, 64), nn.ReLU(), nn.Linear(64, answers))

        def forward(self, patches: Any) -> Any:
            return self.head(self.trunk(patches[:, [0, 4]].flatten(0, 1)).view(len(patches), -1))

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Classifier()


def patches(pairs: Sequence[Sequence[Any]]) -> Any:
    """(B, 5, 1, 32, 32) in 0..1 of B pairs of pictures."""
    import torch

    rows = [[*(_grey(quarter) for quarter in _quarters(first)), _grey(second)] for first, second in pairs]
    return torch.from_numpy(np.array(rows, np.float32))[:, :, None]


def _quarters(picture: Any) -> list[Any]:
    width, height = picture.width // 2, picture.height // 2
    corners = [(width * (q % 2), height * (q // 2)) for q in range(4)]
    return [picture.crop((x, y, x + width, y + height)) for x, y in corners]


def _grey(picture: Any) -> np.ndarray:
    return np.asarray(picture.convert("L").resize((SIDE, SIDE), 2), np.float32) / 255
