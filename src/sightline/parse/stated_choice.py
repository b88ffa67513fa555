"""A reply that reasons and then names one of two options, and its reasoning without the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.json import load
from sightline.parse.tags import ANSWER, THINK, Block, FullMatch

_TAG = re.compile(r"</?[A-Za-z][\w-]{0,30}+>")
_VERDICT = re.compile(r"(?:image|option)\s*[12]\s*(?:is|wins|better)", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?]+(?=\s)|\n")  # a point inside 0.5 ends nothing
_LONGEST = 2_000  # characters of an answer that names a choice


@dataclass(frozen=True, slots=True)
class StatedChoice:
    """The option that an answer consists of: `{"choice": 1}`, or the option alone.

    Args:
        options: the legal ones.
        key: of the JSON object; its value is an option as a text or as a whole number.

    Low: Missing for any other answer, further keys included.

    Example:
        >>> read = StatedChoice()
        >>> read('{"choice": 1}'), read('{"choice": "2"}'), read(" 2 ")
        ('1', '2', '2')
        >>> read('{"choice": 3}').why, read('{"choice": 1, "or": 2}').why
        ('3 is none of 1, 2', 'not an object with the key `choice` alone')
    """

    options: tuple[str, ...] = ("1", "2")
    key: str = "choice"

    def __call__(self, text: str) -> str | Missing:
        if text.strip() in self.options:
            return text.strip()
        value = load(text) if len(text) <= _LONGEST else Missing(f"longer than {_LONGEST} characters")
        if isinstance(value, Missing):
            return value
        if not isinstance(value, dict) or list(value) != [self.key] or text.count(f'"{self.key}"') != 1:
            return Missing(f"not an object with the key `{self.key}` alone")
        said = value[self.key]
        legal = isinstance(said, str) or (isinstance(said, int) and not isinstance(said, bool))
        name = str(said).strip() if legal else None
        return name if name in self.options else Missing(f"{said!r:.20} is none of {', '.join(self.options)}")


@dataclass(frozen=True, slots=True)
class ReasonedChoice:
    """The option of a reply that is one think block with text in it and one answer block, and nothing else.

    Args:
        choice: text of the answer block -> option.

    Example:
        >>> ReasonedChoice()('<think>Two balls in the first.</think><answer>{"choice": 1}</answer>')
        '1'
        >>> ReasonedChoice()("<think> </think><answer>1</answer>").why
        'the think block is empty'
    """

    choice: StatedChoice = StatedChoice()

    def __call__(self, text: str) -> str | Missing:
        found = FullMatch(once=True)(text.strip())
        if isinstance(found, Missing):
            return found
        think, answer = found
        return self.choice(answer.text) if _bare(think.text) else Missing("the think block is empty")


@dataclass(frozen=True, slots=True)
class MadeChoice:
    """The option of the first answer block, whatever stands around it.

    Example:
        >>> MadeChoice()('so: <answer>{"choice": 2}</answer>')
        '2'
    """

    choice: StatedChoice = StatedChoice()
    block: Block = ANSWER

    def __call__(self, text: str) -> str | Missing:
        inner = self.block(text)
        return inner if isinstance(inner, Missing) else self.choice(inner)


@dataclass(frozen=True, slots=True)
class ReasoningAlone:
    """The first think block, tags taken out and blanks off both ends; nothing from the first answer tag on.

    Args:
        without_verdict: also leave out the last sentence if it says which image or option wins.

    Low: Missing without a think block, or if nothing is left, as of one that stands behind the answer.

    Example:
        >>> said = "<think>The first has two balls. Image 1 is better.</think><answer>1</answer>"
        >>> ReasoningAlone()(said)
        'The first has two balls. Image 1 is better.'
        >>> ReasoningAlone(without_verdict=True)(said)
        'The first has two balls.'
    """

    without_verdict: bool = False
    block: Block = THINK

    def __call__(self, text: str) -> str | Missing:
        found = self.block.span(text)
        if isinstance(found, Missing):
            return found
        answer = text.find(f"<{ANSWER.tag}>")
        inner = found.text if answer < 0 else text[found.start : max(found.start, min(found.end, answer))]
        bare = _bare(inner)
        if self.without_verdict:
            bare = _without_verdict(bare)
        return bare or Missing("the think block is empty")


def _bare(reasoning: str) -> str:
    return _TAG.sub("", reasoning).strip()


def _without_verdict(text: str) -> str:
    end = len(text.rstrip(".!? \n"))
    start = max((found.end() for found in _SENTENCE.finditer(text, 0, end)), default=0)
    return text[:start].strip() if _VERDICT.search(text, start) else text
