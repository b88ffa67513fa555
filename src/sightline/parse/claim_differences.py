"""Lists of differences between two captions, as a judge writes them: claims, verdicts, typed errors, a winner.

    [DIFFERENCE 1]                         [OVERALL_WINNER]
    ASPECT: colour                         B
    CAPTION_A_CLAIM: a red car
    CAPTION_B_CLAIM: a blue car
    JUDGMENT: B
    CAPTION_A_ERROR:
    ERROR_TYPE: colour_hallucination
    ERROR_DETAIL: the car is blue
    SEVERITY_LEVEL: 3
    CAPTION_B_ERROR:
    ERROR_TYPE: NONE

What a difference is worth, others decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sightline.core.missing import Missing

Form = Literal["strict", "official"]
UNKNOWN, NOT_GIVEN = "unknown", "NA"
MOST, LONGEST = 512, 200_000  # differences, characters
_FENCE = re.compile(r"\A```[A-Za-z]*|```\s*\Z")
_HEAD = re.compile(r"\[DIFFERENCE\s+\d+\]")
_LOOSE_HEAD = re.compile(r"\[DIFFERENCE\s*\d*\]", re.IGNORECASE)
_WINNER = "[OVERALL_WINNER]"
_NO_DIFFERENCE = "[NO_DIFFERENCE]"
_NAME = re.compile(r"([A-Za-z_]{1,40})\s*:\s*(.*)", re.DOTALL)
_ERROR_FIELDS = ("ERROR_TYPE", "ERROR_DETAIL", "SEVERITY_LEVEL")
_OTHER_FIELDS = ("ASPECT", "CAPTION_A_CLAIM", "CAPTION_B_CLAIM", "JUDGMENT", "CAPTION_A_ERROR", "CAPTION_B_ERROR")
_VERDICTS = {"a": "A", "b": "B", "tie": "Tie"}


class ClaimError(NamedTuple):
    """What is wrong with one caption in one difference; `NA` for what is not told."""

    type: str = NOT_GIVEN
    detail: str = ""
    severity: str = NOT_GIVEN

    @property
    def found(self) -> bool:
        """Whether there is an error: its type is not empty, NONE or NA."""
        return self.type.strip().upper() not in ("", "NONE", "NA")


class Difference(NamedTuple):
    """One difference between caption A, the policy's, and caption B, the reference."""

    aspect: str
    claim_a: str
    claim_b: str
    judgment: str
    error_a: ClaimError
    error_b: ClaimError


class Compared(NamedTuple):
    """All differences, and which caption wins: A, B or Tie."""

    differences: tuple[Difference, ...]
    winner: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Reads a list of differences.

    Args:
        form: `official` as released code reads it: names in capitals at the start of a line; type, detail and severity
            only as the first, second and third line behind `CAPTION_X_ERROR:`; the last value of a name counts; the
            winner is whatever the line behind its header says, also nothing; at least one difference. `strict`: lines
            are trimmed, blank ones ignored, names in any case, error fields in any order; the first value of a name
            counts; the winner must be A, B or Tie; no difference is a reading too, marked by `[NO_DIFFERENCE]` or by
            the winner Tie alone.

    Example:
        >>> Differences()("[OVERALL_WINNER] Tie"), Differences("official")("[OVERALL_WINNER]\\nTie").why
        (Compared(differences=(), winner='Tie'), 'no difference is listed')
    """

    form: Form = "strict"

    def __call__(self, text: str) -> Compared | Missing:
        if len(text) > LONGEST:
            return Missing(f"longer than {LONGEST} characters")
        lines = _lines(text, self.form)
        blocks, winner = _blocks(lines, self.form), _winner(lines, self.form)
        if len(blocks) > MOST:
            return Missing(f"more than {MOST} differences")
        found = tuple(_difference(block, self.form) for block in blocks)
        if self.form == "official":
            if not found:
                return Missing("no difference is listed")
            return Missing("no winner") if winner == NOT_GIVEN else Compared(found, winner)
        if not found:
            return Compared((), "Tie") if _agree(lines, winner) else Missing("no difference is listed")
        verdict = _VERDICTS.get(winner.lower())
        return Missing(f"no winner among A, B and Tie: {winner!r:.40}") if verdict is None else Compared(found, verdict)


class Verified(NamedTuple):
    """One difference in the other form: what kind it is, and what the picture says of it."""

    type: str
    content: str
    verification: str


@dataclass(frozen=True, slots=True)
class Verifications:
    """Reads a list of `TYPE`, `CONTENT`, `CATEGORY`, `VERIFICATION`, `REASON`, `IS_HALLUCINATION` per difference.

    Types and verifications are returned in lower case. `strict` takes no difference for a reading where `Differences`
    does.

    Example:
        >>> Verifications()("[DIFFERENCE 1]\\nTYPE: missing_fact\\nCONTENT: a hat\\nVERIFICATION: missing")
        (Verified(type='missing_fact', content='a hat', verification='missing'),)
    """

    form: Form = "strict"

    def __call__(self, text: str) -> tuple[Verified, ...] | Missing:
        if len(text) > LONGEST:
            return Missing(f"longer than {LONGEST} characters")
        lines = _lines(text, self.form)
        blocks = _blocks(lines, self.form)
        if len(blocks) > MOST:
            return Missing(f"more than {MOST} differences")
        if not blocks and (self.form == "official" or not _agree(lines, _winner(lines, self.form))):
            return Missing("no difference is listed")
        named = [_named(block, self.form) for block in blocks]
        return tuple(
            Verified(own.get("TYPE", "").lower(), own.get("CONTENT", ""), own.get("VERIFICATION", "").lower())
            for own in named
        )


def _lines(text: str, form: Form) -> list[str]:
    text = text.strip()
    if text.startswith("```"):
        text = _FENCE.sub("", text)
    if form == "official":
        return [line.rstrip() for line in text.splitlines()]
    return [line.strip() for line in text.split("\n") if line.strip()]


def _blocks(lines: Sequence[str], form: Form) -> list[list[str]]:
    """The lines behind each head, up to the next head or the winner."""
    blocks: list[list[str]] = []
    inside = False
    for line in lines:
        said = line.upper() if form == "strict" else line
        if (_LOOSE_HEAD if form == "strict" else _HEAD).match(said):
            blocks.append([])
            inside = True
        elif said.startswith(("[DIFFERENCE", _WINNER)):
            inside = False
        elif inside:
            blocks[-1].append(line)
    return blocks


def _agree(lines: Sequence[str], winner: str) -> bool:
    """Whether a list without a difference says that there is none."""
    return winner.lower() == "tie" or any(line.upper() == _NO_DIFFERENCE for line in lines)


def _winner(lines: Sequence[str], form: Form) -> str:
    for number, line in enumerate(lines):
        if form == "official" and line == _WINNER:
            return lines[number + 1].strip() if number + 1 < len(lines) else NOT_GIVEN
        if form == "strict" and line.upper().startswith(_WINNER):
            behind = line[len(_WINNER) :].strip(" :") or (lines[number + 1] if number + 1 < len(lines) else "")
            return behind.strip().rstrip(".")
    return NOT_GIVEN


def _named(block: Sequence[str], form: Form) -> dict[str, str]:
    """The value of every name in a block: the first one, or the last one in the official form."""
    if form == "official":
        pieces = [line.partition(":") for line in block]
        return {name: value.strip() for name, colon, value in pieces if colon}
    found: dict[str, str] = {}
    for match in filter(None, map(_NAME.match, block)):
        found.setdefault(match[1].upper(), match[2].strip())
    return found


def _difference(block: Sequence[str], form: Form) -> Difference:
    named = _named(block, form)
    claims = (named.get("ASPECT", ""), named.get("CAPTION_A_CLAIM", ""), named.get("CAPTION_B_CLAIM", ""))
    judgment = named.get("JUDGMENT") or UNKNOWN
    if form == "strict":
        judgment = {"a": "A", "b": "B"}.get(judgment.lower(), judgment.lower())
    read = _errors_in_order if form == "official" else _errors_in_any_order
    return Difference(*claims, judgment, read(block, "CAPTION_A_ERROR"), read(block, "CAPTION_B_ERROR"))


def _errors_in_order(block: Sequence[str], name: str) -> ClaimError:
    own: dict[str, str] = {}
    for at in (number for number, line in enumerate(block) if line.startswith(f"{name}:")):
        for field, line in zip(_ERROR_FIELDS, block[at + 1 : at + 4], strict=False):
            if line.startswith(f"{field}:"):
                own[field] = line[len(field) + 1 :].strip()
    return _error(own)


def _errors_in_any_order(block: Sequence[str], name: str) -> ClaimError:
    own: dict[str, str] = {}
    inside = False
    for line in block:
        match = _NAME.match(line)
        field = match[1].upper() if match else ""
        if field == name:
            inside = True
        elif match and inside and field in _ERROR_FIELDS:
            own.setdefault(field, match[2].strip())
        elif field in _OTHER_FIELDS:
            inside = False
    return _error(own)


def _error(own: Mapping[str, str]) -> ClaimError:
    severity = own.get("SEVERITY_LEVEL", "").strip() or NOT_GIVEN
    return ClaimError(own.get("ERROR_TYPE") or NOT_GIVEN, own.get("ERROR_DETAIL", ""), severity)
