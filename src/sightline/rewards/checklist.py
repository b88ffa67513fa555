"""How many questions of a checklist are answered right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from sightline.core.batch import Batch
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain
from sightline.parse.last_box import LastBox
from sightline.parse.numbered_blocks import BlocksInOrder, NumberedBlocks
from sightline.parse.tags import Span
from sightline.rewards.answers import Comparison
from sightline.rewards.gold import GoldReward, gold, gold_text
from sightline.rewards.reward import Reward
from sightline.rewards.whole_answer import WholeAnswer

Key = tuple[tuple[int, str], ...]  # number of the question, right answer
BLOCKS = NumberedBlocks()


class Pair(NamedTuple):
    """What was said to one question, and what is right; None: nothing was asked that this could answer."""

    number: int
    said: Span | str | Missing
    right: str | None


class Pairing(Protocol):
    """Which answer of a reply belongs to which question; the share right is taken over the pairs."""

    def __call__(self, text: str) -> Any: ...

    def pairs(self, read: Any, key: Key) -> list[Pair]: ...


@dataclass(frozen=True)
class ByNumber:
    r"""Every question has the block of its number; what else was answered is not read.

    The only question of a checklist may be answered in `\boxed{}` too, as it is asked to where it is not numbered.

    Example:
        >>> rule = ByNumber()
        >>> [pair.said for pair in rule.pairs(rule("<a2>AB</a2>"), ((1, "4"), (2, "AB")))]
        [Missing(why='no block <a1>'), Span(text='AB', start=4, end=6)]
    """

    def __call__(self, text: str) -> tuple[dict[int, Span], Span | Missing]:
        return BLOCKS(text), LastBox().span(text)

    def pairs(self, read: tuple[dict[int, Span], Span | Missing], key: Key) -> list[Pair]:
        blocks, box = read
        found: list[Pair] = []
        for number, right in key:
            said: Span | Missing = blocks.get(number or 1, Missing(f"no block <a{number or 1}>"))
            if isinstance(said, Missing) and len(key) == 1 and isinstance(box, Span):
                said = box
            found.append(Pair(number, said, right))
        return found


@dataclass(frozen=True)
class ByOrder:
    """The k-th block belongs to the k-th question, as released code has it: the easiest question alone earns 1.

    Example:
        >>> rule = ByOrder()
        >>> rule.pairs(rule("<a2>AB</a2>"), ((1, "4"), (2, "AB")))
        [Pair(number=1, said='AB', right='4')]
    """

    def __call__(self, text: str) -> tuple[str, ...]:
        return BlocksInOrder()(text)

    def pairs(self, read: tuple[str, ...], key: Key) -> list[Pair]:
        right = [text for number, text in key if number]  # a bare answer is no block
        return [Pair(place + 1, said, right[place] if place < len(right) else None) for place, said in enumerate(read)]


@dataclass(frozen=True)
class Checklist(GoldReward):
    """The share of a checklist's questions that are answered right.

    value = (1 / K) sum_j 1[answer_j is right], K questions

    Args:
        compare: (said, right) -> 0..1, or `Missing`: 0 with its reason.
        pairing: which block answers which question.
        column: the right answers: `<a1>4</a1><a2>AB</a2>`, a list of texts or numbers, or one bare answer.

    Reads: `column`. Range: [0, 1]. Low: questions without a block of their number, wrong answers. Not applicable: rows
    whose checklist is empty or None. Marks: every block that was read.

    Raises:
        ColumnError: the right answers cannot be read: tags that make no block, a number twice.

    Example:
        >>> said = ["<a1>4</a1><a2>CD</a2><a3>60 cm</a3>", "<a1>4</a1>"]
        >>> Checklist()(Batch(said, {"probe_answer": ["<a1>4</a1><a2>AB</a2><a3>60</a3>"] * 2})).values.round(3)
        array([0.667, 0.333])

    References:
        PEARL: Perceptual-Evidence Anchored Reinforced Learning, arXiv 2511.18437.
    """

    compare: Comparison = WholeAnswer()
    pairing: Pairing = ByNumber()
    column: str = "probe_answer"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        key = "<a1>4</a1><a2>AB</a2>"
        rows: list[dict[str, Any]] = [
            {"completion": text, "probe_answer": key}
            for text in ("<a2>ab</a2><a1>4</a1>", "<a1>4</a1><a1>5</a1>", "four, AB", "<a1>5\n</a1><a2>AB</a2>")
        ]
        alone = {"completion": "\\boxed{7}", "probe_answer": "7"}
        return cls(), [*rows, {**rows[0], "probe_answer": ["4", 5]}, alone, {**rows[0], "probe_answer": None}]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        ready = getattr(self.compare, "ready", None)
        if ready is not None:
            ready()

    def right(self, batch: Batch) -> list[Key]:
        return gold(batch, self.column, type(self).__name__, answer_key)

    def score(self, batch: Batch) -> Scores:
        keys = self.right(batch)
        read = batch.parse(self.pairing)
        return Scores.from_rows([self._one(*row) for row in zip(read, keys, strict=True)])

    def _one(self, read: Any, key: Key) -> Score:
        if not key:
            return abstain("an empty checklist")
        pairs = self.pairing.pairs(read, key)
        if not pairs:
            return Score(0.0, "no answer block")
        found = [self._compared(pair) for pair in pairs]
        wrong = [one.why for one in found if one.value < 1]
        why = f"{len(wrong)} of {len(found)} wrong: {'; '.join(wrong[:3])}" if wrong else ""
        return Score(float(np.mean([one.value for one in found])), why, tuple(m for one in found for m in one.marks))

    def _compared(self, pair: Pair) -> Score:
        if isinstance(pair.said, Missing):
            return Score(0.0, pair.said.why)
        said = pair.said.text if isinstance(pair.said, Span) else pair.said
        value = Missing("no such question") if pair.right is None else self.compare(said, pair.right)
        reason = value.why if isinstance(value, Missing) else f"{said!r:.30} for {pair.right!r:.30}"
        worth = 0.0 if isinstance(value, Missing) else float(value)
        why = "" if worth >= 1 else f"{pair.number}: {reason}"
        place = (pair.said.start, pair.said.end) if isinstance(pair.said, Span) else None
        return Score(worth, why, () if place is None else (Mark("char", place, worth, why),))


def answer_key(value: Any) -> Key | Missing:
    """The right answers of a checklist with the numbers of their questions; nothing for None or an empty checklist.

    A bare answer has number 0 where it stands alone as a text.

    Example:
        >>> answer_key("<a1>4</a1><a2>AB</a2>"), answer_key(["4", 5]), answer_key("7"), answer_key(None)
        (((1, '4'), (2, 'AB')), ((1, '4'), (2, '5')), ((0, '7'),), ())
        >>> answer_key("<a1>4</a1><a1>5</a1>").why
        'it needs one closed block <aN> for every question'
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return ()
    if isinstance(value, list | tuple | np.ndarray):
        return _listed(list(value))
    text = value if isinstance(value, str) else gold_text(value)
    if isinstance(text, Missing):
        return text
    if "<a" not in text:
        return ((0, text.strip()),)
    blocks = BLOCKS(text)
    if not blocks or not BLOCKS.whole(text) or not all(span.text for span in blocks.values()):
        return Missing("it needs one closed block <aN> for every question")
    return tuple((number, blocks[number].text) for number in blocks)


def _listed(values: Sequence[Any]) -> Key | Missing:
    texts = [gold_text(one) for one in values]
    bad = next((text for text in texts if isinstance(text, Missing)), None)
    return tuple((number, str(text)) for number, text in enumerate(texts, 1)) if bad is None else bad
