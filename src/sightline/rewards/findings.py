"""Whether the findings that a rollout writes down bear out its own answer, and whether they are those to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain
from sightline.metrics.finding_sets import finding_support, set_f1
from sightline.parse.findings import Mention, Mentions, asserted
from sightline.parse.negation import NEGATION
from sightline.rewards.gold import GoldReward
from sightline.rewards.knowledge import Knowledge, plain, retina
from sightline.rewards.label_sets import Labels, SaidLabels
from sightline.rewards.reward import Reward

NORMAL = "nothing is to be seen in it, and nothing is denied"


@dataclass(frozen=True)
class FindingsFitAnswer(Reward):
    """How well the findings asserted in the reasoning bear out the answer of the same rollout.

    cov   = |F & Req| / |Req|, 1 if Req is empty;  prec = |F & (Req | Sup)| / |F|, of an empty F 1 if Req is, else 0
    value = 2 cov prec / (cov + prec), 0 if both are 0

    F: findings with a mention that is neither denied nor doubted. Req, Sup: findings required by the predicted labels,
    and those that fit. The picture is not looked at: whoever recites the table earns all of it, also for a wrong
    answer. Keep its weight below that of accuracy, or gate it, and watch `FindingsSeen`. No clinical measure.

    Args:
        knowledge: the table.
        labels: the predicted labels.
        find: text -> mentions; None: of the table's vocabulary in the think block, or in the whole text.
        negatives: for labels without required findings, an empty F counts only if a finding is denied, not doubted.

    Reads: `modality` and `options`, if they are there. Range: 0..1. Marks: asserted findings, 1 if they fit, else 0.
    Low: 0 for an answer that cannot be read, is empty, or is not in the table.

    Example:
        >>> think = "Microaneurysms and a few hemorrhages are seen, no drusen."
        >>> said = [f"<think>{think}</think><answer>{label}</answer>" for label in ("NPDR", "glaucoma", "flu")]
        >>> FindingsFitAnswer()(Batch(said, {"modality": ["CFP"] * 3})).values
        array([1., 0., 0.])

    References:
        Fundus-R1, arXiv 2604.08322, process reward; the formula is ours.
    """

    knowledge: Knowledge = field(default_factory=retina)
    labels: SaidLabels | None = None
    find: Mentions | None = None
    negatives: bool = False
    may_read: ClassVar = ("modality", "options")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = (
            ("microaneurysms and hemorrhage, no drusen", "A"),
            ("microaneurysm, hard exudate", "NPDR"),
            ("drusen", "B"),
            ("", "normal"),
            ("possible hemorrhage", "npdr, wet amd"),
            ("hemorrhage", "flu"),
            ("hemorrhage", ""),
        )
        rows = [{"completion": f"<think>{t}</think><answer>{a}</answer>", "modality": "CFP"} for t, a in said]
        menu = {"options": ["NPDR", "normal"]}
        return cls(), [*({**row, **menu} for row in rows), {"completion": "drusen", "modality": None, "options": None}]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row, kind in enumerate(batch.column("modality") if batch.has("modality") else ()):
            if kind is not None and not isinstance(kind, str):
                raise ColumnError(f"FindingsFitAnswer: column `modality` of row {row} is {kind!r:.60}; it needs a text")

    def score(self, batch: Batch) -> Scores:
        kinds = batch.column("modality") if batch.has("modality") else [None] * len(batch)
        said = batch.once(self.labels or SaidLabels(self.knowledge))
        mentions = batch.parse(self.find or Mentions(self.knowledge.names))
        denied = self._denied(batch) if self.negatives else [True] * len(batch)
        return Scores.from_rows([self._one(*row) for row in zip(said, mentions, kinds, denied, strict=True)])

    def _denied(self, batch: Batch) -> list[bool]:
        """Whether each rollout denies some finding."""
        find = self.find or Mentions(self.knowledge.names)
        outright = replace(find, cues=replace(find.cues, phrases=NEGATION))
        return [any(mention.denied for mention in mentions) for mentions in batch.parse(outright)]

    def _one(self, said: Labels | Missing, mentions: Sequence[Mention], kind: str | None, denied: bool) -> Score:
        if isinstance(said, Missing) or not said:
            return Score(0.0, said.why if isinstance(said, Missing) else "the answer is empty")
        needed = self.knowledge.needed(sorted(said), kind)
        if isinstance(needed, Missing):
            return Score(0.0, needed.why)
        found = asserted(mentions)
        if not denied and not needed.required and not found:
            return Score(0.0, NORMAL)
        support = finding_support(found, needed.required, needed.supportive)
        fits = needed.required | needed.supportive
        marks = (Mark("char", (m.start, m.end), float(m.name in fits), m.name) for m in mentions if not m.denied)
        why = f"coverage {support.coverage:.3f}, precision {support.precision:.3f}"
        return Score(support.value, why, tuple(marks))


@dataclass(frozen=True)
class FindingsSeen(GoldReward):
    """How well the findings asserted in the reasoning agree with those of the picture: F1 of the two sets.

    Args:
        knowledge: the table, for its vocabulary.
        find: text -> mentions; None: as for `FindingsFitAnswer`.
        column: findings seen in the picture, a list of names or synonyms; None: not known.

    Reads: `column`. Range: 0..1. Not applicable: the findings of the picture are not known.

    Raises:
        ColumnError: they are not a list of texts, or one is not in the vocabulary.

    Example:
        >>> said = ["<think>drusen, hemorrhage</think>", "<think>no drusen</think>"]
        >>> FindingsSeen()(Batch(said, {"findings_seen": [["drusen"], []]})).values.round(6)
        array([0.666667, 1.      ])
    """

    knowledge: Knowledge = field(default_factory=retina)
    find: Mentions | None = None
    column: str = "findings_seen"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        rows = [
            {"completion": f"<think>{text}</think>", "findings_seen": ["drusen"]} for text in ("drusen", "no drusen")
        ]
        return cls(), [*rows, {**rows[0], "findings_seen": []}, {**rows[0], "findings_seen": None}]

    def score(self, batch: Batch) -> Scores:
        mentions = batch.parse(self.find or Mentions(self.knowledge.names))
        return Scores.from_rows(
            [
                abstain("the findings of the picture are not known") if seen is None
                else Score(set_f1(asserted(said), seen))
                for said, seen in zip(mentions, self.right(batch), strict=True)
            ]
        )  # fmt: skip

    def right(self, batch: Batch) -> list[frozenset[str] | None]:
        known = {plain(spelling): names[0] for names in self.knowledge.names for spelling in names}
        return [_names(row, value, known, self.column) for row, value in enumerate(batch.column(self.column))]


def _names(row: int, value: Any, known: dict[str, str], column: str) -> frozenset[str] | None:
    if value is None:
        return None
    wrong = f"FindingsSeen: column `{column}` of row {row} is {value!r:.60}; it needs a list of findings of the table"
    if not isinstance(value, list | tuple | np.ndarray):
        raise ColumnError(wrong)
    found = [known.get(plain(str(name))) for name in value]
    if None in found:
        raise ColumnError(wrong)
    return frozenset(name for name in found if name is not None)
