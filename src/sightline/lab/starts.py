"""Cold starts that an experiment trains itself: made once, kept in a folder, loaded by every arm."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sightline.lab.models import language_stage, tiny_vlm
from sightline.lab.models.language_stage import Example, Lessons, Recipe

FOLDER = Path("runs/lab/starts")


def taught(
    name: str,
    examples: Callable[[], Sequence[Example]],
    recipe: Recipe,
    file: str,
    start: str = "base",
    seed: int = 0,
    folder: Path = FOLDER,
) -> Path:
    """The folder of a model taught `examples`, which is trained if it is not there.

    Two processes may train it at the same time; both come to the same weights, and the first to end keeps its own.

    Args:
        name: of the cold start.
        examples: makes what it learns; called only if it is not there.
        recipe: how long and how fast.
        file: the source file that defines the examples: another version is another cold start.
        start: a shipped model's name.
    """
    other_weights = os.environ.get("SIGHTLINE_LAB_WEIGHTS", "")
    made_of = Path(file).read_bytes() + f"{name}|{recipe}|{start}|{seed}|{other_weights}".encode()
    place = folder / f"{name}-{hashlib.blake2b(made_of, digest_size=4).hexdigest()}"
    if not place.exists():
        model, _ = tiny_vlm.load(start)
        lessons = Lessons(examples(), model.model.vision_tower)
        for parameter in model.model.vision_tower.parameters():
            parameter.requires_grad_(False)
        for _ in language_stage.teach(model, lessons, recipe, seed):
            pass
        _keep(model, place)
    return place


def _keep(model: Any, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=place.parent))
    tiny_vlm.save(model, draft)
    try:
        draft.replace(place)
    except OSError:
        if not place.exists():
            raise
