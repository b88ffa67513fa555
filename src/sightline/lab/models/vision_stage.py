"""First stage of a base model: the vision tower alone, taught dense truth.

Every patch that shows part of an object predicts the object's name, colour and box through linear heads that are
thrown away afterwards. A tower taught through the answers of a language model alone stays blind at this size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.lab.models.tiny_vlm import PATCH
from sightline.lab.worlds.canvas import COLOURS, DIGITS, SHAPES, SIDE, Look, Thing, draw, place
from sightline.lab.worlds.grounding import overlap

if TYPE_CHECKING:
    import torch

NAMES = DIGITS + SHAPES
GRID = SIDE // PATCH
COVER = 4
MEAN, SCALE = 0.5, 0.25


@dataclass(frozen=True)
class Scenes:
    """Pictures of the first stage: every look and size that the worlds use, drawn at random.

    Args:
        objects: fewest and most objects.
        sizes: least and greatest size in pixels.
        contrast, noise, background: ranges the look is drawn from.
    """

    objects: tuple[int, int] = (1, 4)
    sizes: tuple[int, int] = (9, 20)
    contrast: tuple[float, float] = (0.5, 1.0)
    noise: tuple[float, float] = (4.0, 30.0)
    background: tuple[int, int] = (30, 55)

    def easier(self, share: float) -> Scenes:
        """The same ranges moved towards large, clean pictures: all the way at share 1, not at all at 0."""
        low, high = self.sizes
        return replace(
            self,
            sizes=(round(low + share * max(0, 13 - low)), high),
            contrast=(self.contrast[0] + share * (self.contrast[1] - self.contrast[0]), self.contrast[1]),
            noise=(self.noise[0], self.noise[1] + share * (self.noise[0] - self.noise[1])),
        )

    def draw(self, rng: np.random.Generator, held_out: bool = False) -> tuple[Any, list[Thing]]:
        """One picture and its things."""
        things: list[Thing] = []
        names, colours = rng.permutation(NAMES), rng.permutation(list(COLOURS))
        for i in range(int(rng.integers(self.objects[0], self.objects[1] + 1))):
            # Digits are harder than shapes, so they get three quarters of the places.
            name = str(names[i]) if rng.random() < 0.4 else str(rng.choice(DIGITS))
            size = int(rng.integers(self.sizes[0], self.sizes[1] + 1))
            thing = place(rng, name, str(colours[i]), size, things, held_out)
            things += [thing] if thing else []
        look = Look(rng.uniform(*self.contrast), rng.uniform(*self.noise), int(rng.integers(*self.background)))
        return draw(things, look, rng), things


def patch_owners(things: list[Thing]) -> np.ndarray:
    """Which thing each patch shows (GRID, GRID), -1 for none: the one that covers most of it (a quarter at least)."""
    edge = np.arange(GRID) * PATCH
    cover = np.zeros((len(things) + 1, GRID, GRID))
    cover[0] = PATCH * PATCH / COVER
    for i, thing in enumerate(things):
        x1, y1, x2, y2 = thing.box
        width = (np.minimum(edge + PATCH, x2) - np.maximum(edge, x1)).clip(0)
        height = (np.minimum(edge + PATCH, y2) - np.maximum(edge, y1)).clip(0)
        cover[i + 1] = height[:, None] * width[None, :]
    return cover.argmax(0) - 1


def pixels(pictures: list[Any]) -> torch.Tensor:
    """Pictures as the image processor hands them to the tower: (N, 3, SIDE, SIDE)."""
    import torch

    stack = np.stack([np.asarray(picture) for picture in pictures]).astype(np.float32) / 255
    return torch.from_numpy(((stack - MEAN) / SCALE).transpose(0, 3, 1, 2).copy())


def batch(scenes: Scenes, rng: np.random.Generator, size: int, held_out: bool = False) -> dict[str, torch.Tensor]:
    """Pixels and, for each patch (B * 16), the class of name and colour (-1: nothing) and the box in 0..1."""
    import torch

    pictures, name, colour, box = [], [], [], []
    for _ in range(size):
        picture, things = scenes.draw(rng, held_out)
        pictures.append(picture)
        owners = patch_owners(things).ravel()
        name += [NAMES.index(things[i].name) if i >= 0 else -1 for i in owners]
        colour += [list(COLOURS).index(things[i].colour) if i >= 0 else -1 for i in owners]
        box += [np.array(things[i].box) / SIDE if i >= 0 else np.zeros(4) for i in owners]
    return {
        "pixels": pixels(pictures),
        "name": torch.tensor(name),
        "colour": torch.tensor(colour),
        "box": torch.tensor(np.array(box), dtype=torch.float32),
    }


def heads(width: int, seed: int = 0) -> Any:
    """The linear readers of one patch's features."""
    import torch

    sizes = {"name": len(NAMES), "colour": len(COLOURS), "box": 4}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.nn.ModuleDict({key: torch.nn.Linear(width, size) for key, size in sizes.items()})


def loss(features: torch.Tensor, readers: Any, truth: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross entropy of name and colour plus 10 times the L1 distance of boxes, over patches that show an object."""
    from torch.nn import functional

    flat = features.flatten(0, 1)
    shown = truth["name"] >= 0
    box = functional.l1_loss(readers["box"](flat)[shown], truth["box"][shown])
    named = functional.cross_entropy(readers["name"](flat[shown]), truth["name"][shown])
    return named + functional.cross_entropy(readers["colour"](flat[shown]), truth["colour"][shown]) + 10 * box


def patch_features(tower: Any, pixel_values: torch.Tensor) -> torch.Tensor:
    """Last hidden states of the patches, without the class token: (N, 16, width)."""
    return tower(pixel_values=pixel_values).last_hidden_state[:, 1:]


def teach(
    tower: Any,
    readers: Any,
    steps: int = 2400,
    size: int = 32,
    lr: float = 2e-3,
    seed: int = 0,
) -> Iterator[tuple[int, float]]:
    """Trains the tower and its readers in place with AdamW under a cosine; yields (step, loss) every 100 steps."""
    import torch

    rng = np.random.default_rng([seed, 1])
    scenes = Scenes()
    tower.train()
    parameters = [*tower.parameters(), *readers.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.04)
    for step in range(1, steps + 1):
        truth = batch(scenes.easier(1 - step / (0.6 * steps) if step < 0.6 * steps else 0.0), rng, size)
        value = loss(patch_features(tower, truth["pixels"]), readers, truth)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps:
            yield step, float(value.detach())
    tower.eval()


def read(tower: Any, readers: Any, scenes: Scenes, pictures: int, seed: int) -> dict[str, float]:
    """Per-patch figures on held-out digits: digit, shape and colour accuracy and mean IoU over object patches."""
    import torch

    truth = batch(scenes, np.random.default_rng([seed, 2]), pictures, held_out=True)
    with torch.no_grad():
        flat = patch_features(tower, truth["pixels"]).flatten(0, 1)
        said = {key: reader(flat) for key, reader in readers.items()}
    shown = truth["name"] >= 0
    digit = shown & (truth["name"] < len(DIGITS))
    right = {key: (said[key].argmax(-1) == truth[key]).float() for key in ("name", "colour")}
    overlaps = [overlap(a, b) for a, b in zip(said["box"][shown].tolist(), truth["box"][shown].tolist(), strict=True)]
    return {
        "digit": float(right["name"][digit].mean()),
        "shape": float(right["name"][shown & ~digit].mean()),
        "colour": float(right["colour"][shown].mean()),
        "iou": float(np.mean(overlaps)),
    }
