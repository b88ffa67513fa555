"""Rewards for text fields read off a picture: how alike each is to what can be read, and what was invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.errors import CompositionError
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.metrics.characters import edit_similarity, unsupported_share, without_blanks
from sightline.parse.fields import Fields, TextFields
from sightline.rewards.gold import gold
from sightline.rewards.reward import Range, Reward

LEGIBILITY = TextFields(("clear", "not_clear", "final"))


@dataclass(frozen=True)
class _ReadField(Reward):
    """One field of every answer held against the column of its name: one that is missing earns the lowest value."""

    field: str
    fields: Callable[[str], Fields | Missing] = LEGIBILITY
    bare: Callable[[str], str] = without_blanks

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls("final"), field_rows()

    def needs(self) -> tuple[str, ...]:
        return (self.field,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self._right(batch)

    def score(self, batch: Batch) -> Scores:
        rows = zip(batch.parse(self.fields), self._right(batch), strict=True)
        return Scores.from_rows([self._one(found, right) for found, right in rows])

    def _right(self, batch: Batch) -> list[str]:
        return gold(batch, self.field, type(self).__name__, _text)

    def _one(self, found: Fields | Missing, right: str) -> Score:
        said = found if isinstance(found, Missing) else found[self.field]
        return Score(self.range[0], said.why) if isinstance(said, Missing) else self._of(said, right)

    def _of(self, said: str, right: str) -> Score:
        raise CompositionError(f"{type(self).__name__} does not say what a text is worth")


@dataclass(frozen=True)
class FieldSimilarity(_ReadField):
    """How alike one field of the answer is to the text that can be read.

    value = 1 - edits / max(|said|, |right|), both without blanks; 1 if both are empty

    A wrong number of blanks, which stand for unreadable characters, costs nothing; an invented character does.

    Args:
        field: the field's name; the column of the right text has the same name.
        fields: text -> fields, or Missing: 0 with its reason, whatever the right text is.
        bare: what is compared of a text.

    Reads: the column `field`, a text that may be empty. Range: 0..1.
    Low: 0 for a field that is missing or no text.

    Raises:
        ColumnError: a right text is not a text.

    Example:
        >>> said = ['<answer>{"final": "Beautiful"}</answer>', '<answer>{"final": "Beau ful"}</answer>', "Beau  ful"]
        >>> FieldSimilarity("final")(Batch(said, {"final": ["Beau  ful"] * 3})).values.round(6)
        array([0.777778, 1.      , 0.      ])

    References:
        He et al., Seeing is Believing?, arXiv 2506.20168, OCR reward.
    """

    def _of(self, said: str, right: str) -> Score:
        value = edit_similarity(self.bare(said), self.bare(right))
        return Score(value, "" if value == 1 else f"{said!r:.40} for {right!r:.40}")


@dataclass(frozen=True)
class InventedCharacters(_ReadField):
    """Minus the share of a field's characters that cannot be read in the picture.

    value = -(1 - |LCS(said, right)| / |said|), both without blanks; 0 if nothing was said

    Args:
        field: the field's name; the column of the right text has the same name.
        fields: text -> fields, or Missing: -1 with its reason.
        bare: what is compared of a text.

    Reads: the column `field`, a text that may be empty. Range: -1..0.

    Raises:
        ColumnError: a right text is not a text.

    Example:
        >>> said = ['<answer>{"final": "Beautiful"}</answer>', '<answer>{"final": "Beau"}</answer>']
        >>> InventedCharacters("final")(Batch(said, {"final": ["Beau  ful"] * 2})).values.round(6) + 0.0
        array([-0.222222,  0.      ])
    """

    range: ClassVar[Range] = (-1.0, 0.0)

    def _of(self, said: str, right: str) -> Score:
        share = unsupported_share(self.bare(said), self.bare(right))
        return Score(0.0 - share, f"{said!r:.40} where {right!r:.40} can be read" if share else "")


def _text(value: Any) -> str | Missing:
    return value if isinstance(value, str) else Missing("it needs a text, which may be empty")


def field_rows() -> list[dict[str, Any]]:
    """Rows of every kind: faithful, completed, refused, partly missing, unreadable."""
    right = {"clear": "Bauful", "not_clear": "e", "final": "Beau  ful"}
    nothing = {"clear": "", "not_clear": "", "final": " "}
    answers = (
        '{"clear": "Bauful", "not_clear": "e", "final": "Beau ful"}',
        '{"clear": "Bauful", "not_clear": "", "final": "Beautiful"}',
        '{"clear": "", "not_clear": "", "final": ""}',
        '{"clear": "Bauful", "final": 7}',
        "Beau ful",
    )
    said = [f"<think>t</think><answer>{answer}</answer>" for answer in answers]
    return [{"completion": text, **gold_} for gold_ in (right, nothing) for text in said]
