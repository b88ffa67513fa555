"""Any valid way of reasoning is paid, a way that few right rollouts of the group take slightly more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values, failed
from sightline.judges.judge import Judge, Question, Verdict
from sightline.judges.pathway_words import PathwayWords
from sightline.judges.prompts import prompt
from sightline.judges.verdicts import json_verdict
from sightline.metrics.boxes import box_iou
from sightline.parse.pathways import HEURISTICS, MostWords
from sightline.parse.tagged_boxes import TaggedBoxes
from sightline.parse.tags import ANSWER, THINK
from sightline.parse.undressed import option_letter
from sightline.rewards.answers import Answer
from sightline.rewards.plain_answers import same_option
from sightline.rewards.reward import JudgedReward, Reward
from sightline.rewards.target_boxes import ReadTargets, best_overlaps, mentioned, target_rows

UNKNOWN = "unknown region"
ADMISSIBLE = tuple(name for name, _ in HEURISTICS)


def rarity_paid(
    names: Sequence[str | None], validity: Values, right: NDArray[np.bool_], group: NDArray[np.int64], delta: float
) -> Values:
    """What each rollout's way of reasoning earns.

    f_h = right rollouts of the group with heuristic h / all right rollouts of the group
    value = v * (1 + delta * (1 - f_h)) / (1 + delta) for a right rollout with a heuristic, else 0

    Args:
        names: B heuristics; None for none that is admissible.
        validity: (B,) in 0..1.
        right: (B,) whether the answer is right.
        group: (B,) group numbers.

    Example:
        >>> names = ["elimination", "elimination", "spatial", "comparison"]
        >>> validity, group = np.array([1, 1, 1, 0.5]), np.zeros(4, dtype=int)
        >>> rarity_paid(names, validity, np.ones(4, dtype=bool), group, 0.5).round(6)
        array([0.833333, 0.833333, 0.916667, 0.458333])
    """
    taken: dict[tuple[int, str | None], int] = {}
    for name, ok, number in zip(names, right.tolist(), group.tolist(), strict=True):
        if ok:
            taken[number, name] = taken.get((number, name), 0) + 1
    all_right = np.bincount(group, weights=right, minlength=int(group.max(initial=-1)) + 1)[group]
    alike = np.array([taken.get(key, 0) for key in zip(group.tolist(), names, strict=True)], dtype=np.float64)
    paid = right & np.array([name is not None for name in names], dtype=bool)
    share = alike / np.maximum(all_right, 1.0)
    return np.where(paid, validity * (1.0 + delta * (1.0 - share)) / (1.0 + delta), 0.0)


@dataclass(frozen=True)
class Pathways(Reward):
    """A valid way of reasoning to the right answer, told by its words; rarer ones in the group earn slightly more.

    value = v * (1 + delta * (1 - f_h)) / (1 + delta) for a right answer, else 0; see `rarity_paid`
    v = 1 if the answer block is a single option letter and some valid box has IoU >= 0.5 with a target, or there is no
    target; else 0

    Args:
        delta: bonus of a way that nobody else takes; keep it small, or odd ways are invented.
        path: think block -> heuristic.
        right: what a right answer is: it earns 1.
        find, targets: boxes that the reasoning mentions, and those it should.

    Reads: `answer`, `targets`; `heuristics` if there (names, or a mapping of names to descriptions; else all five).
    Range: 0..1, over whole groups.

    Example:
        >>> said = "<think>on the left <box>[0, 0, 4, 4]</box></think><answer>B</answer>"
        >>> Pathways()(Batch([said], {"answer": ["B"], "targets": [[[0, 0, 4, 4]]]})).values.round(6)
        array([0.666667])

    References:
        GRiP, arXiv 2511.22172, multi-heuristic reward. The formula is ours: only the abstract is public.
    """

    delta: float = 0.5
    path: Callable[[str], str | Missing] = MostWords()
    right: Answer = Answer(same_option)
    find: TaggedBoxes = TaggedBoxes()
    targets: ReadTargets = ReadTargets()
    scope = "group"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), pathway_rows()

    def needs(self) -> tuple[str, ...]:
        return (*self.right.needs(), self.targets.column)

    def uses(self) -> tuple[str, ...]:
        return "heuristics", self.targets.salience

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self.right.check(batch)
        batch.once(self.targets)
        admissible(batch)

    def score(self, batch: Batch) -> Scores:
        right = self.right.score(batch).values >= 1.0
        ways = [self._way(text) for text in batch.parse(THINK)]
        names = [way if way in known else None for way, known in zip(ways, admissible(batch), strict=True)]
        values = rarity_paid(names, self._valid(batch), right, batch.group, self.delta)
        return Scores.of(values, [_why(*row) for row in zip(names, right.tolist(), values.tolist(), strict=True)])

    def _way(self, think: str | Missing) -> str | None:
        way = think if isinstance(think, Missing) else self.path(think)
        return None if isinstance(way, Missing) else way

    def _valid(self, batch: Batch) -> Values:
        targets, pred = batch.once(self.targets), mentioned(batch.parse(self.find))
        overlaps, _ = best_overlaps(pred, targets)
        seen = (targets.sum((overlaps >= 0.5).astype(np.float64)) > 0) | (targets.counts == 0)
        letters = [not isinstance(said, Missing) and option_letter(said) != "" for said in batch.parse(ANSWER)]
        return np.where(seen & np.array(letters, dtype=bool), 1.0, 0.0)


@dataclass(frozen=True)
class JudgedPathways(JudgedReward):
    """The same with heuristic and validity from a judge, who is asked about right answers only.

    The judge reads the question, the right answer, the admissible heuristics and the think block, its boxes replaced by
    the label of the target they fit best, or `unknown region`. It replies `{"heuristic": .., "validity": 0..1}`.

    Args:
        judge: who answers.
        delta, right, find, targets: as in `Pathways`.
        template: the prompt.

    Reads: `answer`, `targets`; if there `problem` (the question), `heuristics`, `target_labels` (a text a target).
    Range: 0..1, over whole groups. 0 with the reason: a reply that cannot be read. NaN: the judge failed; the rollout
    counts among the right ones of its group, without a heuristic.

    Example:
        >>> said = "<think>on the left</think><answer>B</answer>"
        >>> JudgedPathways(PathwayWords())(Batch([said], {"answer": ["B"], "targets": [[]]})).values.round(6)
        array([0.666667])

    References:
        GRiP, arXiv 2511.22172, multi-heuristic reward. The formula is ours: only the abstract is public.
    """

    judge: Judge = PathwayWords()
    delta: float = 0.5
    right: Answer = Answer(same_option)
    find: TaggedBoxes = TaggedBoxes()
    targets: ReadTargets = ReadTargets()
    template: str = prompt("pathway_judge").text
    scope = "group"
    may_read: ClassVar = ("problem", "heuristics", "target_labels", "salience")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{**row, "problem": "Which one?", "target_labels": ["cat", "dog"]} for row in pathway_rows()]

    def needs(self) -> tuple[str, ...]:
        return (*self.right.needs(), self.targets.column)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self.right.check(batch)
        batch.once(self.targets)
        admissible(batch)
        self._labels(batch)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        right = self.right.score(batch).values >= 1.0
        problems = batch.column("problem") if batch.has("problem") else [""] * len(batch)
        rows = zip(right.tolist(), self._reasoning(batch), problems, admissible(batch), strict=True)
        golds = batch.column(self.right.column)
        return [
            (self._question(str(problem or ""), str(golds[row]), known, text),) if ok and text else ()
            for row, (ok, text, problem, known) in enumerate(rows)
        ]

    def _question(self, problem: str, answer: str, known: Mapping[str, str], reasoning: str) -> Question:
        ways = tuple(f"{name}: {what}" if what else name for name, what in known.items())
        fields = (("question", problem), ("answer", answer), ("heuristics", ways), ("reasoning", reasoning))
        return Question(self.template, fields, fenced=("reasoning",))

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        right = self.right.score(batch).values >= 1.0
        read = [
            _read(said[0], known) if said else None for said, known in zip(verdicts, admissible(batch), strict=True)
        ]
        names = [one[0] if isinstance(one, tuple) else None for one in read]
        validity = np.array([one[1] if isinstance(one, tuple) else 0.0 for one in read], dtype=np.float64)
        values = rarity_paid(names, validity, right, batch.group, self.delta)
        why = [_why(*row) for row in zip(names, right.tolist(), values.tolist(), strict=True)]
        for row, said in enumerate(verdicts):
            one = read[row]
            if said and said[0].value is None:
                values[row], why[row], _ = failed(said[0].error)
            elif isinstance(one, Missing):
                why[row] = f"unreadable verdict: {one.why}"
        return Scores.of(values, why)

    def _reasoning(self, batch: Batch) -> list[str]:
        """Think blocks with boxes replaced by labels; empty where there is none."""
        targets, labels = batch.once(self.targets), self._labels(batch)
        texts: list[str] = []
        for row, think in enumerate(batch.parse(THINK)):
            start, end = targets.offsets[row : row + 2]
            if isinstance(think, Missing):
                texts.append("")
            else:
                texts.append(self._named(think, targets.flat[start:end, :4], labels[row]))
        return texts

    def _named(self, think: str, targets: NDArray[np.float64], labels: Sequence[str]) -> str:
        found = self.find(think)
        iou = box_iou(np.array(found.boxes, dtype=np.float64).reshape(-1, 4), targets)
        opening, closing = f"<{self.find.tag}>", f"</{self.find.tag}>"
        pieces: list[str] = []
        done = 0
        for span, number in found.mentions:
            fits = iou[number].max(initial=0.0) > 0
            label = labels[int(iou[number].argmax())] if fits else UNKNOWN
            pieces += [think[done : think.rfind(opening, 0, span.start)], label]
            done = think.find(closing, span.end) + len(closing)
        return "".join([*pieces, think[done:]])

    def _labels(self, batch: Batch) -> list[Sequence[str]]:
        counts = batch.once(self.targets).counts.tolist()
        given = batch.column("target_labels") if batch.has("target_labels") else [None] * len(batch)
        labels: list[Sequence[str]] = []
        for row, (value, size) in enumerate(zip(given, counts, strict=True)):
            listed = [f"target {k + 1}" for k in range(size)] if value is None else value
            if isinstance(listed, str) or not isinstance(listed, Sequence | np.ndarray) or len(listed) < size:
                raise ColumnError(f"column `target_labels` of row {row} is {value!r:.80}; it needs {size} texts")
            labels.append([str(label) for label in listed])
        return labels


def admissible(batch: Batch) -> list[Mapping[str, str]]:
    """Names and descriptions of the heuristics that each row admits.

    Raises:
        ColumnError: the column `heuristics` holds neither names nor a mapping of names to descriptions.
    """
    given = batch.column("heuristics") if batch.has("heuristics") else [None] * len(batch)
    return [_admitted(value, row) for row, value in enumerate(given)]


def _admitted(value: Any, row: int) -> Mapping[str, str]:
    if value is None:
        return dict.fromkeys(ADMISSIBLE, "")
    if isinstance(value, Mapping):
        return {str(name): str(what or "") for name, what in value.items()}
    listed = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(listed, Sequence) and not isinstance(listed, str) and all(isinstance(n, str) for n in listed):
        return dict.fromkeys(listed, "")
    raise ColumnError(f"column `heuristics` of row {row} is {value!r:.80}; it needs names, or names with descriptions")


def _read(verdict: Verdict[Any], known: Mapping[str, str]) -> tuple[str | None, float] | Missing:
    """Heuristic and validity of a reply; Missing if it cannot be read."""
    if verdict.value is None:
        return Missing(verdict.error)
    reply = json_verdict(str(verdict.value))
    if isinstance(reply, Missing):
        return reply
    name, validity = reply.get("heuristic"), reply.get("validity")
    if isinstance(validity, bool) or not isinstance(validity, int | float) or validity != validity:
        return Missing(f"validity is {validity!r:.40}, not a number")
    if name is not None and not isinstance(name, str):
        return Missing(f"heuristic is {name!r:.40}, not a name")
    return (name if name in known else None), min(1.0, max(0.0, validity))


def _why(name: str | None, right: bool, value: float) -> str:
    if not right:
        return "the answer is not right"
    return f"by {name}" + ("" if value else ", not valid") if name else "no admissible heuristic"


def pathway_rows() -> list[dict[str, Any]]:
    """Groups of rollouts that take several ways, some of them wrong."""
    ways = ("ruled out option A", "option C is eliminated", "left of it", "the larger one", "hm")
    box = "<box>[0, 0, 40, 40]</box>"
    said = [f"<think>{way} {box}</think><answer>B</answer>" for way in ways]
    texts = (*said, said[2].replace("B<", "(C).<"), said[2].replace(box, ""), "B")
    rows: list[dict[str, Any]] = [
        {"completion": text, "answer": "B", "targets": target_rows()[0]["targets"], "group": 0} for text in texts
    ]
    other = [{**row, "targets": [], "heuristics": {"spatial": "where it is"}, "group": 1} for row in rows]
    return [*rows, *other]
