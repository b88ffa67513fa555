"""Where a reply holds what: its answer, its reasoning, its boxes and items. Told from how replies are written, by eye.

Knows the marks that replies of vision-language models commonly carry (tags, `\\boxed{}`, JSON, option letters) and no
reward; what a reply means is not its business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Span = tuple[int, int]

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_N = r"-?\d+(?:\.\d+)?"
_FOUR = rf"{_N}(?:[\s,()]+{_N}){{3}}(?![\d.])"
QUAD = re.compile(rf"[\[(]?\s*(?<![\w.])(?<!\d,)(?<!\d, ){_FOUR}(?!\s*,\s*-?\d)\s*[\])]?")
ITEM = re.compile(rf"\{{[^{{}}]*:[^{{}}]*\}}|<(\w+)>[^<>{{}}]*?{_FOUR}[^<>{{}}]*?</\1>|[\[(]\s*{_FOUR}\s*[\])]")
_CODE = re.compile(r"```(?!json)\w+.*?(?:```|\Z)", re.DOTALL)
_ANSWER_TAG = re.compile(r"<(answer)>((?:(?!<answer>).)*?)</\1>", re.DOTALL | re.IGNORECASE)
_ANSWER_KEY = re.compile(r'"\w*(?:answer|choice)\w*"\s*:\s*(?:"([^"]*)"|(\[[^\[\]]*\]|-?[\w.]+))', re.IGNORECASE)
_REASONING = re.compile(r"<(think|thinking|reason|reasoning|description|look|watching)>(.*?)</\1>", re.DOTALL | re.I)
_IN = r"(?:[^.!?\n]|(?<=\d)\.(?=\d))*"
_SENTENCE = re.compile(rf"{_IN}[^\s.!?]{_IN}(?:[.!?]+|\n|$)")


def answer_span(text: str) -> Span:
    """Start and end of what is answered, the innermost of tag, box and JSON key; the whole text if nothing says.

    Example:
        >>> text = "<think>x</think><answer>So \\\\boxed{13}</answer>"
        >>> start, end = answer_span(text)
        >>> text[start:end]
        '13'
    """
    start, end = _after_reasoning(text)
    for find in (_tagged, _boxed, _keyed):
        found = find(text[start:end])
        if found is not None:
            start, end = start + found[0], start + found[1]
    return start, end


def reasoning_span(text: str) -> Span | None:
    """Start and end of the first reasoning in tags, None if there is none."""
    found = _REASONING.search(text)
    return None if found is None else found.span(2)


def quads(text: str) -> list[tuple[float, float, float, float]]:
    """Four numbers in a row that can be a box: left before right, top above bottom, not in code.

    Example:
        >>> quads("<answer>(10,10),(50,40)</answer> and [4, 1, 2, 3]")
        [(10.0, 10.0, 50.0, 40.0)]
    """
    return [box for found in _plain(QUAD, text) if (box := box_of(found[0])) is not None]


def box_of(written: str) -> tuple[float, float, float, float] | None:
    """The box that a written quadruple is, None if its corners are no corners or it orders the first four numbers.

    Example:
        >>> box_of("[1, 2, 3, 5]"), box_of("[1, 2, 3, 4]")
        ((1.0, 2.0, 3.0, 5.0), None)
    """
    numbers = [float(number) for number in re.findall(_N, written)]
    if len(numbers) != 4 or not (numbers[0] < numbers[2] and numbers[1] < numbers[3]):
        return None
    if sorted(numbers) in ([0, 1, 2, 3], [1, 2, 3, 4]):  # a ranking
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]


def with_boxes(text: str, change: Callable[[Sequence[float]], Sequence[float | str]]) -> str:
    """The text with `change` of every box in its place, written as it was: brackets and commas stay."""

    code = [found.span() for found in _CODE.finditer(text)]

    def changed(found: re.Match[str]) -> str:
        box = box_of(found[0])
        if box is None or any(start <= found.start() < end for start, end in code):
            return found[0]
        new = iter(change(box))
        return re.sub(_N, lambda _: written(next(new)), found[0])

    return QUAD.sub(changed, text)


def extent(row: Mapping[str, Any], text: str) -> tuple[float, float]:
    """Width and height of the picture that the boxes of a reply lie in, as far as the columns say.

    Example:
        >>> extent({"image_size": [640, 480]}, "[0, 0, 9, 9]"), extent({}, "[0.1, 0.1, 0.5, 1]"), extent({}, "")
        ((640.0, 480.0), (1.0, 1.0), (1000.0, 1000.0))
    """
    most = max((side for box in quads(text) for side in box), default=1000.0)
    if most <= 1:
        return 1.0, 1.0
    for name in ("model_size", "image_size"):
        size = row.get(name)
        if isinstance(size, Sequence) and len(size) == 2 and not isinstance(size, str):
            return float(size[0]), float(size[1])
    if row.get("width") and row.get("height"):
        return float(row["width"]), float(row["height"])
    return (max(most, 1000.0),) * 2


def sentences(text: str) -> list[str]:
    """Sentences and lines of a reasoning.

    Example:
        >>> sentences("A cup. It is 0.5 wide.\\nSo")
        ['A cup.', ' It is 0.5 wide.', '\\n', 'So']
    """
    found, at = [], 0
    for sentence in _SENTENCE.finditer(text):
        if sentence.start() > at:
            found.append(text[at : sentence.start()])
        found.append(sentence[0])
        at = sentence.end()
    return [*found, text[at:]] if at < len(text) else found


def well_formed(text: str) -> bool:
    """Whether a reply is whole: one answer, brackets and tags closed, blocks in order, nothing over and over.

    Example:
        >>> [well_formed(text) for text in ("<answer>B</answer>", "<answer>B", "\\\\boxed{1} \\\\boxed{2}", "So. " * 9)]
        [True, False, False, False]
        >>> well_formed("<answer>B</answer><think>so</think>"), well_formed("<answer>B</answer> I think")
        (False, False)
    """
    opened, closed = re.findall(r"<([a-zA-Z]\w*)[^<>]*(?<!/)>", text), re.findall(r"</(\w+)>", text)
    answers = max(len(_ANSWER_TAG.findall(text)), text.count("\\boxed"), text.count("\\boxed{") * 2 - 1)
    said = [sentence.strip() for sentence in sentences(text) if sentence.strip()]
    whole = all(text.count(a) == text.count(b) for a, b in ("{}", "[]"))
    unmatched = set(opened) ^ set(closed) | {tag for tag in closed if text.find(f"<{tag}") > text.find(f"</{tag}>")}
    repeated = max(map(said.count, said), default=0) > 3
    return (
        answers <= 1
        and _in_order(text)
        and whole
        and not repeated
        and "\\boxed " not in text
        and not unmatched & {*closed, "think", "answer"}
    )


def _in_order(text: str) -> bool:
    """Reasoning before the answer, and nothing around the blocks."""
    reasoned, answered = text.rfind("</think>"), text.find("<answer>")
    behind = text[reasoned + 1 :] if reasoned >= 0 else text
    return (
        text == text.strip()
        and (reasoned < answered or answered < 0)
        and (answered < 0 or text.endswith(">"))
        and ("\\boxed" in behind) == ("\\boxed" in text)
    )


def _plain(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What is found outside of code."""
    code = [found.span() for found in _CODE.finditer(text)]
    yield from (m for m in pattern.finditer(text) if not any(start <= m.start() < end for start, end in code))


def written(number: float | str) -> str:
    """A side of a box as it is written."""
    if isinstance(number, str):
        return number
    return str(int(number)) if float(number).is_integer() else f"{number:.6g}"


def _after_reasoning(text: str) -> Span:
    ends = [found.end() for found in _REASONING.finditer(text)]
    return (ends[-1], len(text)) if ends and text[ends[-1] :].strip() else (0, len(text))


def _tagged(text: str) -> Span | None:
    found = list(_ANSWER_TAG.finditer(text))
    return found[-1].span(2) if found else None


def _boxed(text: str) -> Span | None:
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth, begin = 1, start + len("\\boxed{")
    for place in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return begin, place
    return None


def _keyed(text: str) -> Span | None:
    found = list(_ANSWER_KEY.finditer(text))
    return found[-1].span(1 if found[-1][1] is not None else 2) if found else None
