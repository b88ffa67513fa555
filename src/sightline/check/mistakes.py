"""An honest reply that is wrong: written exactly as a right one, about other things.

Attacks are measured against it. Format, length, number of boxes and number of steps are those of the right reply; every
box is half its width off, every number one off, every option its neighbour, every second word of content another word.
Some mistakes are lucky: `MISTAKES` makes two that share nothing, and an attack that gains on either has found a hole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sightline.check.anatomy import QUAD, answer_span, box_of, with_boxes

OTHERS = ("kettle", "meadow", "harbour", "violin", "lantern", "saddle")
OPPOSITES = {"yes": "no", "true": "false", "left": "right", "top": "bottom", "up": "down", "positive": "negative"}
OPPOSITES |= {value: key for key, value in OPPOSITES.items()}
_SMALL = """
a an and are as at be by can could do for from has have i in is it its may must no not of on or should so the then to
we will would answer correct option final therefore
"""
SMALL = frozenset(_SMALL.split())

Size = tuple[float, float]

_LETTERS = re.compile(r"^\W*([A-H]\b(?:\W|or|and)*)+$|^\W*[a-h]\W*$")
_LETTER = re.compile(r"\b[A-Ha-h]\b")
_KEPT = (
    r"<(?!think|reason|descr|look|watch|answer)(?P<tag>\w+)>[^<>\d\[\]]{1,40}</(?P=tag)>|"  # what a box beside it is of
    r"```python.*?```|```\w*|</?\w[^<>]*>|\\\w+|"
    r"[\"']name[\"']\s*:\s*[\"'][^\"']*[\"']|[\"']\w*(?:conf|uncert|score)\w*[\"']\s*:\s*[-+\w.]+|[\"']\w+[\"']\s*:|"
    r"^[A-Z][\w ]{0,30}:"
)
_N = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_NUMBERS = rf"(?<![\w.]){_N}(?:[ \t]*[,)(\]\[ ][\s,)(\]\[]*{_N})*"
_TOKEN = re.compile(
    rf"(?P<kept>{_KEPT})|(?P<numbers>{_NUMBERS})|(?P<word>[^\W\d_]\w*(?:['’-]\w+)*)", re.DOTALL | re.M | re.I
)
_ONE = re.compile(_N)


@dataclass(frozen=True)
class Mistake:
    """One way of being wrong.

    Args:
        further: numbers, letters and places in a ranking are so many off.
        first: of the words of content, the first or the second of each two is another one.
        down: boxes are moved down instead of aside.
    """

    further: int = 1
    first: bool = True
    down: bool = False


NEAR = Mistake()
MISTAKES = (NEAR, Mistake(2, first=False, down=True))


def mistaken(text: str, size: Size | None = None, how: Mistake = NEAR) -> str:
    """A reply of the same form as `text` that says something else.

    Args:
        text: the right reply.
        size: width and height of the picture, so that boxes stay in it.
        how: which mistake.

    Example:
        >>> mistaken("<think>A red cup stands left.</think><answer>B</answer>")
        '<think>A kettle cup meadow right.</think><answer>A</answer>'
        >>> mistaken('<answer>[{"bbox_2d": [10, 10, 50, 50], "label": "cat"}]</answer>')
        '<answer>[{"bbox_2d": [30, 10, 70, 50], "label": "cat"}]</answer>'
        >>> mistaken("<answer>[4, 1, 2, 3, 5]</answer>")
        '<answer>[1, 2, 3, 5, 4]</answer>'
        >>> mistaken("It is a red cup, so \\\\boxed{7}", how=MISTAKES[1])
        'It is a red meadow, so \\\\boxed{9}'
    """
    start, end = answer_span(text)
    written = _Writer(how, size)
    return written.otherwise(text[:start]) + written.answer(text[start:end]) + written.otherwise(text[end:])


def moved(box: Sequence[float], share: float = 0.5, size: Size | None = None) -> list[float]:
    """A box moved sideways by a share of its width, to where there is room; without room it is made narrower.

    At half its width the intersection over union with the true box is 1/3, either way.

    Example:
        >>> moved([0, 0, 40, 40]), moved([0, 0, 90, 40], size=(90, 40))
        ([20.0, 0, 60.0, 40], [0, 0, 30.0, 40])
    """
    x1, y1, x2, y2 = box
    step = (x2 - x1) * share
    whole = all(float(side).is_integer() for side in box)
    if step and whole:
        step = max(1.0, float(round(step)))
    if x1 >= x2 - x1:
        step = -step
    elif size is not None and x2 + step > max(size[0], x2):
        narrow = (x2 - x1) * (1 - share) / (1 + share)
        return [x1, y1, x1 + (max(1.0, float(round(narrow))) if whole else narrow), y2]
    return [x1 + step, y1, x2 + step, y2]


def _moved_down(box: Sequence[float], size: Size | None) -> list[float]:
    x1, y1, x2, y2 = box
    y1, x1, y2, x2 = moved([y1, x1, y2, x2], size=None if size is None else size[::-1])
    return [x1, y1, x2, y2]


@dataclass
class _Writer:
    """Writes the mistake, from left to right."""

    how: Mistake
    size: Size | None
    seen: int = 0
    alone: bool = False  # there is one word of content
    shift: list[float] = field(default_factory=list)  # how far the last box went

    def answer(self, core: str) -> str:
        if _LETTERS.match(core):
            return _LETTER.sub(self._letter, core)
        core = re.sub(r"(?<=: )[A-H](?=\W*$)", self._letter, core)
        return self.otherwise(core, words=not any(box_of(found[0]) for found in QUAD.finditer(core)))

    def otherwise(self, text: str, words: bool = True) -> str:
        """Other numbers and boxes, and other words if `words`; tags, keys, labels and commands stay."""
        self.seen, self.shift = 0, []
        self.alone = sum(_is_content(found["word"]) for found in _TOKEN.finditer(text)) == 1

        def changed(found: re.Match[str]) -> str:
            token = found[0]
            if found["kept"]:
                return _ONE.sub(self._next, token) if token.startswith("```python") else token
            if found["numbers"]:
                return self._other_numbers(token)
            numbered = re.match(r"\s*\d", text[found.end() : found.end() + 2])  # `Line 2` and `Step 1` are names
            if not words or numbered or len(token) == 1 != len(text.strip()):
                return token
            return self._other_word(token)

        return _TOKEN.sub(changed, text)

    def _other_word(self, word: str) -> str:
        if word.lower() in OPPOSITES:
            return _cased(OPPOSITES[word.lower()], word)
        if not _is_content(word):
            return word
        self.seen += 1
        other = OTHERS[(self.seen // 2) % len(OTHERS)]
        return _cased(other, word) if self.alone or self.seen % 2 == self.how.first else word

    def _other_numbers(self, written: str) -> str:
        numbers = _ONE.findall(written)
        fours = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
        if len(numbers) % 4 == 0 and all(box_of(" ".join(four)) for four in fours):
            if len(fours) == 1:
                return with_boxes(written, self._moved)
            sides = [f"{side:.6g}" for four in fours for side in self._moved([float(number) for number in four])]
            return _replaced(written, sides)
        if len(numbers) == 2 and self.shift:  # a point goes with its box
            near = [float(number) + by for number, by in zip(numbers, self.shift, strict=True)]
            return _replaced(written, [f"{side:.6g}" for side in near])
        whole = all(number.isdigit() and len(number) < 5 for number in numbers)
        count = len(numbers)
        if count > 1 and whole and sorted(map(int, numbers)) in ([*range(count)], [*range(1, count + 1)]):
            turn = self.how.further % count or 1
            return _replaced(written, [*numbers[turn:], *numbers[:turn]])
        return _ONE.sub(self._next, written)

    def _moved(self, box: Sequence[float]) -> list[float]:
        new = _moved_down(box, self.size) if self.how.down else moved(box, size=self.size)
        self.shift = [new[0] - box[0], new[1] - box[1]]
        return new

    def _letter(self, found: re.Match[str]) -> str:
        """The neighbour of a letter among two (A and B, C and D) or four."""
        place = ord(found[0]) - 1
        return chr((place ^ self.how.further) + 1)

    def _next(self, found: re.Match[str]) -> str:
        number = found[0]
        if len(number) > 300:  # no number anybody meant
            return number[:-1] + ("1" if number[-1] == "0" else "0")
        if "e" in number.lower():
            return str(self.how.further)
        return str(int(number) + self.how.further) if "." not in number else f"{float(number) + self.how.further:.6g}"


def _is_content(word: str | None) -> bool:
    return word is not None and word.lower() not in SMALL and not (len(word) < 3 and word.isupper())


def _replaced(written: str, numbers: Sequence[str]) -> str:
    new = iter(numbers)
    return _ONE.sub(lambda _: next(new), written)


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[:1].isupper() else word
