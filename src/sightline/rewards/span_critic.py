"""How well a verifier in training flags what the reference flags."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.rollout import Rollout
from sightline.core.scores import Score
from sightline.metrics.span_agreement import SpanAgreement, span_agreement
from sightline.parse.flagged import FlaggedPieces
from sightline.parse.tags import THINK_ANSWER
from sightline.rewards.flagged import found_in
from sightline.rewards.reward import Reward, RowReward

_WORD = re.compile(r"\S+")


def words(text: str) -> list[tuple[int, int]]:
    """The places of what stands between white space: tokens, where no tokenizer is at hand.

    Example:
        >>> words("a cup.")
        [(0, 1), (2, 6)]
    """
    return [found.span() for found in _WORD.finditer(text)]


def token_intervals(
    text: str, pieces: Sequence[str], tokens: Callable[[str], Sequence[tuple[int, int]]] = words
) -> list[tuple[int, int] | None]:
    """For every piece the tokens [start, end) of its first occurrence, or None where it does not stand in the text.

    The first token is the one that holds the piece's first character, or the next one; the end is the first token that
    begins at or behind the piece's end.

    Example:
        >>> token_intervals("I see a red cup. The red cup is left. So B.", ["ed cu", "blue cup"])
        [(3, 5), None]
    """
    places = np.array(tokens(text), dtype=np.int64).reshape(-1, 2)
    found = [spans[0] if spans else None for spans in found_in(text, pieces)]
    return [None if span is None else _interval(places, *span) for span in found]


def _interval(places: np.ndarray, start: int, end: int) -> tuple[int, int]:
    first = int(np.searchsorted(places[:, 1], start, side="right"))
    return first, max(first, int(np.searchsorted(places[:, 0], end, side="left")))


@dataclass(frozen=True)
class FlagsAsReference(RowReward):
    """The IoU of the tokens that a verifier flags with those that the reference flags, if its reply has the form.

    value = shared tokens / tokens of either side; 1 if neither flags any; 0 for a reply without the asked form

    Args:
        form: text -> something, or Missing.
        pieces: text -> the quoted pieces; a reply that cannot be read flags nothing.
        tokens: text -> places of its tokens.
        response: column with the response that was checked.
        reference: column with the list of pieces that are wrong in it, as they stand there.

    Range: [0, 1]. Low: 0 with the reason.

    Raises:
        ColumnError: a reference is no list of texts, or a piece does not stand in the response.

    Example:
        >>> said = '<think>no</think><answer>["red cup"]</answer>'
        >>> columns = {"original_response": ["A red cup here"], "reference_spans": [["red cup here"]]}
        >>> FlagsAsReference()(Batch([said], columns)).values.round(4)
        array([0.6667])

    References:
        Perceval, arXiv 2604.24583, reward of the verifier.
    """

    form: Callable[[str], Any] = THINK_ANSWER
    pieces: Callable[[str], list[str] | Missing] = FlaggedPieces()
    tokens: Callable[[str], Sequence[tuple[int, int]]] = words
    response: str = "original_response"
    reference: str = "reference_spans"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        seen = {"original_response": "A red cup. Two dogs.", "reference_spans": ["Two dogs"]}
        answers = ('["Two dogs"]', '["dogs", "a cat"]', "The response is correct", "what?")
        rows: list[dict[str, Any]] = [{"completion": f"<think>t</think><answer>{a}</answer>", **seen} for a in answers]
        return cls(), [*rows, {**rows[2], "reference_spans": []}, {**rows[0], "completion": "[]"}]

    def needs(self) -> tuple[str, ...]:
        return self.response, self.reference

    def check(self, batch: Batch) -> None:
        super().check(batch)
        rows = zip(batch.column(self.response), batch.column(self.reference), strict=True)
        for row, (text, listed) in enumerate(rows):
            if not isinstance(text, str):
                raise ColumnError(f"FlagsAsReference: column `{self.response}` of row {row} is {text!r:.60}, no text")
            if not _is_list_of_texts(listed) or not all(piece and piece in text for piece in listed):
                raise ColumnError(
                    f"FlagsAsReference: column `{self.reference}` of row {row} is {listed!r:.60}; it needs a list of "
                    f"texts that stand in `{self.response}`"
                )

    def row(self, rollout: Rollout) -> Score:
        form = self.form(rollout.text)
        if isinstance(form, Missing):
            return Score(0.0, form.why)
        found = self.agreement(rollout.text, rollout[self.response], rollout[self.reference])
        return Score(found.iou, f"precision {found.precision:.2g}, recall {found.recall:.2g}")

    def agreement(self, said: str, response: str, reference: Sequence[str]) -> SpanAgreement:
        """Precision, recall, F1 and IoU of one reply of the verifier."""
        pieces = self.pieces(said)
        flagged = [] if isinstance(pieces, Missing) else pieces
        ours, theirs = (
            [span for span in token_intervals(response, side, self.tokens) if span is not None]
            for side in (flagged, list(reference))
        )
        return span_agreement(ours, theirs)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray) and all(isinstance(piece, str) for piece in value)
