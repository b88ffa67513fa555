"""An honest reply that is wrong: written exactly as a right one, about other things.

Attacks are measured against it. Format, length, number of boxes and number of steps are those of the right reply; every
box is half its width off, every number one off, every option its neighbour, every second word of content another word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sightline.check.anatomy import QUAD, answer_span, box_of, with_boxes

OTHERS = ("kettle", "meadow", "harbour", "violin", "lantern", "saddle")
OPPOSITES = {"yes": "no", "true": "false", "left": "right", "top": "bottom", "up": "down", "positive": "negative"}
OPPOSITES |= {value: key for key, value in OPPOSITES.items()}
_SMALL = """
a an and are as at be by do for from has have i in is it its no not of on or so the then to we
answer correct option final therefore
"""
SMALL = frozenset(_SMALL.split())

_LETTERS = re.compile(r"^\W*([A-H]\b(?:\W|or|and)*)+$|^\W*[a-h]\W*$")
_LETTER = re.compile(r"\b[A-Ha-h]\b")
_KEPT = (
    r"<(?!think|reason|descr|look|watch|answer)(?P<tag>\w+)>[^<>\d\[\]]{1,40}</(?P=tag)>|"  # what a box beside it is of
    r"```python.*?```|```\w*|</?\w[^<>]*>|\\\w+|"
    r"[\"']name[\"']\s*:\s*[\"'][^\"']*[\"']|[\"']\w*(?:conf|uncert|score)\w*[\"']\s*:\s*[-+\w.]+|[\"']\w+[\"']\s*:|"
    r"^[A-Z][\w ]{0,30}:"
)
_NUMBERS = r"(?<![\w.])-?\d+(?:\.\d+)?(?:[ \t]*[,)(\]\[ ][\s,)(\]\[]*-?\d+(?:\.\d+)?)*"
_TOKEN = re.compile(
    rf"(?P<kept>{_KEPT})|(?P<numbers>{_NUMBERS})|(?P<word>[^\W\d_]\w*(?:['’-]\w+)*)", re.DOTALL | re.M | re.I
)
_ONE = re.compile(r"-?\d+(?:\.\d+)?")


def mistaken(text: str) -> str:
    """A reply of the same form as `text` that says something else.

    Example:
        >>> mistaken("<think>A red cup stands left.</think><answer>B</answer>")
        '<think>A kettle cup meadow right.</think><answer>A</answer>'
        >>> mistaken('<answer>[{"bbox_2d": [10, 10, 50, 50], "label": "cat"}]</answer>')
        '<answer>[{"bbox_2d": [30, 10, 70, 50], "label": "cat"}]</answer>'
        >>> mistaken("<answer>[4, 1, 2, 3, 5]</answer>")
        '<answer>[1, 2, 3, 5, 4]</answer>'
    """
    start, end = answer_span(text)
    return _otherwise(text[:start]) + _answer(text[start:end]) + _otherwise(text[end:])


def moved(box: Sequence[float], share: float = 0.5) -> list[float]:
    """A box moved sideways by a share of its width, to where there is room.

    At half its width the intersection over union with the true box is 1/3.
    """
    x1, y1, x2, y2 = box
    step = (x2 - x1) * share
    if step and all(float(side).is_integer() for side in box):
        step = max(1.0, float(round(step)))
    if x1 >= x2 - x1:
        step = -step
    return [x1 + step, y1, x2 + step, y2]


def _answer(core: str) -> str:
    if _LETTERS.match(core):
        return _LETTER.sub(lambda found: chr((ord(found[0]) - 1 ^ 1) + 1), core)
    core = re.sub(r"(?<=: )[A-H](?=\W*$)", lambda found: chr((ord(found[0]) - 1 ^ 1) + 1), core)
    return _otherwise(core, words=not any(box_of(found[0]) for found in QUAD.finditer(core)))


def _otherwise(text: str, words: bool = True) -> str:
    """Other numbers and boxes, and other words if `words`; tags, keys, labels and commands stay."""
    seen = 0

    def changed(found: re.Match[str]) -> str:
        nonlocal seen
        token = found[0]
        if found["kept"]:
            return _ONE.sub(_next, token) if token.startswith("```python") else token
        if found["numbers"]:
            return _other_numbers(token)
        numbered = re.match(r"\s*\d", text[found.end() : found.end() + 2])  # `Line 2` and `Step 1` are names
        if not words or numbered or len(token) == 1 != len(text.strip()):
            return token
        if token.lower() in OPPOSITES:
            return _cased(OPPOSITES[token.lower()], token)
        if token.lower() in SMALL or (len(token) < 3 and token.isupper()):
            return token
        seen += 1
        return _cased(OTHERS[(seen // 2) % len(OTHERS)], token) if seen % 2 else token

    return _TOKEN.sub(changed, text)


def _other_numbers(written: str) -> str:
    numbers = _ONE.findall(written)
    fours = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
    if len(numbers) % 4 == 0 and all(box_of(" ".join(four)) for four in fours):
        return (
            with_boxes(written, moved) if len(fours) == 1 else _replaced(written, [n for f in fours for n in _moved(f)])
        )
    whole = all(number.isdigit() and len(number) < 5 for number in numbers)
    if (
        len(numbers) > 1
        and whole
        and sorted(map(int, numbers)) in ([*range(len(numbers))], [*range(1, len(numbers) + 1)])
    ):
        return _replaced(written, [*numbers[1:], numbers[0]])
    return _ONE.sub(_next, written)


def _moved(four: Sequence[str]) -> list[str]:
    return [f"{side:.6g}" for side in moved([float(number) for number in four])]


def _replaced(written: str, numbers: Sequence[str]) -> str:
    new = iter(numbers)
    return _ONE.sub(lambda _: next(new), written)


def _next(found: re.Match[str]) -> str:
    number = found[0]
    if len(number) > 300:  # no number anybody meant
        return number[:-1] + ("1" if number[-1] == "0" else "0")
    return str(int(number) + 1) if "." not in number else f"{float(number) + 1:.6g}"


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[:1].isupper() else word
