"""Self-supervised items: a picture is changed in a known way, and the question is what was done.

Each kind of item maps (picture, seed) to a row that a policy can be trained on without labels, or to `Missing` with the
reason why this picture makes no item. A row has `images`, `prompt`, `answer`, `task`, `seed` and `chance` (what a guess
earns). Everything depends on the picture and the seed alone.

Nothing but the content may give the answer away: all pictures of a row are bare pixels without metadata, made by the
same steps; sides are trimmed so that no size depends on the answer; pictures that look alike under the change are
refused (`distinct`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sightline.core.missing import Missing
from sightline.media.images import Source, load
from sightline.media.rotation import centre_square, turned
from sightline.media.views import PLAIN_VIEW, RandomView

if TYPE_CHECKING:
    from PIL.Image import Image

Row: TypeAlias = dict[str, Any]
LEAST = 28  # pixels of a side, below which a vision encoder has no patch to look at
QUADRANTS = ("top-left", "top-right", "bottom-left", "bottom-right")
ASK = "Think first, then answer between <answer> and </answer>."


@dataclass(frozen=True)
class Rotation:
    """By which angle the second picture was turned.

    Args:
        angles: counter-clockwise degrees, drawn uniformly.
        square_first: cut the picture to its central square, so that its shape does not tell a quarter turn.
        exact: see `media.rotation.inner_rectangle`; without it, as released, a lost pixel tells the angle.
        distinct: least mean difference in grey levels between any two of the turned pictures; 0 takes all.

    Example:
        >>> picture = np.arange(64 * 64 * 3, dtype=np.uint32).reshape(64, 64, 3).astype(np.uint8)
        >>> row = Rotation()(picture, seed=1)
        >>> row["answer"], [image.size for image in row["images"]], row["chance"]
        ('90', [(64, 64), (64, 64)], 0.25)

    References:
        Gidaris et al., arXiv 1803.07728. SSL4RL, arXiv 2510.16416.
    """

    angles: tuple[int, ...] = (0, 90, 180, 270)
    square_first: bool = True
    exact: bool = True
    distinct: float = 2.0

    def __call__(self, picture: Source, seed: int) -> Row | Missing:
        image = load(picture)
        image = centre_square(image) if self.square_first else image
        angle = int(np.random.default_rng(seed).choice(self.angles))
        shown = turned(image, angle, self.exact)
        if min(shown.size) < LEAST:
            return Missing(f"turned by {angle} degrees, {shown.width} x {shown.height} pixels are left")
        views = [turned(image, other, self.exact) for other in self.angles] if self.distinct else []
        if _alike(views, self.distinct):
            return Missing("looks the same when it is turned")
        question = "The second picture is the first one turned counter-clockwise. By how many degrees: "
        return _row("rotation", [image, shown], question + _listed(self.angles), str(angle), seed, len(self.angles))


@dataclass(frozen=True)
class Position:
    """From which quadrant of the first picture the second was cut.

    Args:
        share: least and greatest side of the cut, as a share of the quadrant's; both sides are drawn independently.
        view: changes colours and sharpness of the cut, not its size; None leaves it as it is.
        distinct: least mean difference in grey levels to the same place of another quadrant; 0 takes all.

    Example:
        >>> picture = np.arange(80 * 80 * 3, dtype=np.uint32).reshape(80, 80, 3).astype(np.uint8)
        >>> Position()(picture, seed=3)["answer"], Position()(picture[:40], seed=3).why
        ('bottom-right', '80 x 40 pixels: both sides need 56')

    References:
        Doersch et al., arXiv 1505.05192. SSL4RL, arXiv 2510.16416.
    """

    share: tuple[float, float] = (0.2, 0.8)
    view: RandomView | None = None
    distinct: float = 2.0

    def __call__(self, picture: Source, seed: int) -> Row | Missing:
        image = load(picture)
        if min(image.size) < 2 * LEAST:
            return Missing(f"{image.width} x {image.height} pixels: both sides need {2 * LEAST}")
        # even sides: else the quadrants, and with them the sizes of the cuts, would differ by a pixel
        image = image.crop((0, 0, image.width // 2 * 2, image.height // 2 * 2))
        rng = np.random.default_rng(seed)
        quadrant = int(rng.integers(4))
        half = (image.width // 2, image.height // 2)
        size = [self._side(side, rng) for side in half]
        if not all(size):
            return Missing(f"a quadrant of {half[0]} x {half[1]} pixels has no room for a cut of {LEAST}")
        corner = [int(rng.integers(side - wide + 1)) for side, wide in zip(half, size, strict=True)]
        cuts = [_cut(image, (corner[0] + half[0] * (q % 2), corner[1] + half[1] * (q // 2)), size) for q in range(4)]
        others = [cut for q, cut in enumerate(cuts) if q != quadrant]
        if self.distinct and any(_alike([cuts[quadrant], other], self.distinct) for other in others):
            return Missing("another quadrant looks the same there")
        shown = cuts[quadrant] if self.view is None else self.view.recoloured(cuts[quadrant], rng)
        question = "The second picture was cut out of the first. From which part: "
        return _row("position", [image, shown], question + _listed(QUADRANTS), QUADRANTS[quadrant], seed, 4)

    def _side(self, side: int, rng: np.random.Generator) -> int:
        low, high = max(LEAST, int(self.share[0] * side)), int(self.share[1] * side)
        return int(rng.integers(low, high + 1)) if low <= high else 0


@dataclass(frozen=True)
class Contrastive:
    """Whether two views show the same picture: half of the items do.

    Args:
        view: makes either view; `media.views.STRONG_VIEW` is the hard setting.
        distinct: least standard deviation in grey levels of both pictures, and least mean difference between them.

    Example:
        >>> noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
        >>> [Contrastive()(noise[0], seed, noise[1])["answer"] for seed in range(4)]
        ['negative', 'negative', 'positive', 'positive']
        >>> Contrastive()(noise[0], 1, noise[0]).why
        'both pictures look the same'

    References:
        Chen et al., arXiv 2002.05709. SSL4RL, arXiv 2510.16416.
    """

    view: RandomView = PLAIN_VIEW
    distinct: float = 2.0

    def __call__(self, picture: Source, seed: int, other: Source) -> Row | Missing:
        """A row from a picture and another one, which is shown in half of the items."""
        first, second = load(picture), load(other)
        if self.distinct and min(_grey(one).std() for one in (first, second)) < self.distinct:
            return Missing("a picture is nearly blank")
        if self.distinct and _alike([one.resize((64, 64)) for one in (first, second)], self.distinct):
            return Missing("both pictures look the same")
        rng = np.random.default_rng(seed)
        same = bool(rng.random() < 0.5)
        shown = [self.view(first, rng), self.view(first if same else second, rng)]
        question = "Do both views show the same picture: positive (the same) or negative (different)?"
        return _row("contrastive", shown, question, "positive" if same else "negative", seed, 2)


@dataclass(frozen=True)
class Jigsaw:
    """Which shown patch each place of the original holds: N x N patches, shuffled.

    The answer lists, for each place of the original in reading order, the number of the shown patch, counted from 1.

    Args:
        cells: N.
        distinct: least mean difference in grey levels between any two patches; 0 takes all.

    Example:
        >>> Jigsaw().answer([2, 1, 0, 3]), Jigsaw().answer([1, 2, 3, 0])
        ('3,2,1,4', '4,1,2,3')
        >>> picture = np.arange(64 * 64 * 3, dtype=np.uint32).reshape(64, 64, 3).astype(np.uint8)
        >>> Jigsaw(3)(picture, seed=0).why
        'patches of 21 x 21 pixels: both sides need 28'

    References:
        Noroozi and Favaro, arXiv 1603.09246. SSL4RL, arXiv 2510.16416.
    """

    cells: int = 2
    distinct: float = 2.0

    def __call__(self, picture: Source, seed: int) -> Row | Missing:
        from PIL import Image

        image = load(picture)
        width, height = image.width // self.cells, image.height // self.cells
        if min(width, height) < LEAST:
            return Missing(f"patches of {width} x {height} pixels: both sides need {LEAST}")
        places = [(width * (i % self.cells), height * (i // self.cells)) for i in range(self.cells**2)]
        patches = [_cut(image, place, (width, height)) for place in places]
        if _alike(patches, self.distinct):
            return Missing("two patches look the same")
        order = np.random.default_rng(seed).permutation(len(places)).tolist()
        shown = Image.new("RGB", (width * self.cells, height * self.cells))
        for place, patch in zip(places, order, strict=True):
            shown.paste(patches[patch], place)
        question = (
            f"The picture was cut into {self.cells} x {self.cells} patches, which were shuffled. The shown patches are "
            f"numbered from 1 in reading order. List, for each place of the original in reading order, the number of "
            f"the patch that belongs there, separated by commas."
        )
        return _row("jigsaw", [shown], question, self.answer(order), seed, self.cells**2)

    def answer(self, order: Sequence[int]) -> str:
        """The answer if shown patch i is original patch `order[i]`, both counted from 0."""
        places = [0] * len(order)
        for shown, original in enumerate(order):
            places[original] = shown + 1
        return ",".join(map(str, places))


def goldilocks(accuracy: float, chance: float, high: float = 0.9) -> bool:
    """Whether a task is neither too hard nor too easy to learn from: chance + 0.05 <= accuracy <= high.

    Example:
        >>> [goldilocks(accuracy, 0.25) for accuracy in (0.25, 0.3, 0.9, 0.95)]
        [False, True, True, False]
    """
    return chance + 0.05 - 1e-12 <= accuracy <= high  # 0.1 + 0.05 is a little more than 0.15


def _row(task: str, images: Sequence[Image], question: str, answer: str, seed: int, ways: int) -> Row:
    """A training row; pictures are made of their pixels anew, so that nothing else comes with them."""
    from PIL import Image

    bare = [Image.fromarray(np.asarray(image.convert("RGB"))) for image in images]
    content = [*({"type": "image"} for _ in bare), {"type": "text", "text": f"{question} {ASK}"}]
    prompt = [{"role": "user", "content": content}]
    return {"images": bare, "prompt": prompt, "answer": answer, "task": task, "seed": seed, "chance": 1 / ways}


def _cut(image: Image, corner: Sequence[int], size: Sequence[int]) -> Image:
    left, top = corner
    return image.crop((left, top, left + size[0], top + size[1]))


def _grey(image: Image) -> NDArray[np.float64]:
    return np.asarray(image.convert("L"), dtype=np.float64)


def _alike(images: Sequence[Image], distinct: float) -> bool:
    """Whether two of the pictures of one size differ by less than `distinct` grey levels on average."""
    greys = [_grey(image) for image in images] if distinct > 0 else []
    pairs = combinations(greys, 2)
    return any(a.shape == b.shape and np.abs(a - b).mean() < distinct for a, b in pairs)


def _listed(options: Sequence[Any]) -> str:
    return ", ".join(map(str, options[:-1])) + f" or {options[-1]}?"
