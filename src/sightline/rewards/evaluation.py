"""How an expression is evaluated on a batch: each equal node once, gates before what they guard, judges all at once.

A judged node whose questions have no verdicts yet answers None, and so does every node above it, but their siblings go
on: one walk gathers all questions that can be asked now. Then every judge is asked, the judges concurrently, and the
walk is repeated; what is known is not computed again. The number of walks is the depth of judged gates plus one.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import CompositionError
from sightline.core.marks import NoMarks, PickedMarks, chained
from sightline.core.scores import Scores
from sightline.judges.judge import Ability, Judge, Question, Verdict, ask
from sightline.rewards.algebra import NOT_EVALUATED, Named, Node, Rows
from sightline.rewards.reward import JudgedReward, Reward

Asked = tuple[Judge, Ability]


@dataclass
class Known:
    """What is known of a node: for which rollouts, and their scores (full length, NaN elsewhere)."""

    rows: Rows
    scores: Scores


@dataclass
class Evaluation:
    """One evaluation of one expression on one batch."""

    batch: Batch
    known: dict[Reward, Known] = field(default_factory=dict)
    listed: dict[tuple[Reward, bytes], list[tuple[Question, ...]]] = field(default_factory=dict)
    open: dict[Asked, dict[Question, None]] = field(default_factory=dict)
    verdicts: dict[Asked, dict[Question, Verdict[Any]]] = field(default_factory=dict)

    def run(self, reward: Reward) -> Scores:
        everything = np.ones(len(self.batch), dtype=bool)
        while (scores := self.scores(reward, everything)) is None:
            self._ask()
        return scores

    def scores(self, reward: Reward, rows: Rows) -> Scores | None:
        """Scores of a node, right at least in `rows`; None while a judge has yet to answer."""
        if isinstance(reward, Node):
            return self._node(reward, rows)
        known = self.known.get(reward)
        needed = rows if known is None else rows & ~known.rows
        if reward.scope == "group":
            needed = self.whole_groups(needed)
        if known is not None and not needed.any():
            return known.scores
        found = self._leaf(reward, needed)
        if found is None:
            return None
        merged = found if known is None else _patched(known.scores, found, needed)
        self.known[reward] = Known(needed if known is None else known.rows | needed, merged)
        return merged

    def all(self, rewards: Sequence[Reward], rows: Rows) -> list[Scores] | None:
        """Scores of several nodes; all of them are walked even if one has to wait, so that questions are gathered."""
        found = [self.scores(reward, rows) for reward in rewards]
        complete = [scores for scores in found if scores is not None]
        return complete if len(complete) == len(found) else None

    def whole_groups(self, rows: Rows) -> Rows:
        """`rows` and everything that shares a group with them."""
        if rows.all() or not rows.any():
            return rows
        touched = np.zeros(int(self.batch.group.max()) + 1, dtype=bool)
        touched[self.batch.group[rows]] = True
        return touched[self.batch.group]

    def _node(self, node: Node, rows: Rows) -> Scores | None:
        known = self.known.get(node)
        if known is not None and not (rows & ~known.rows).any():
            return known.scores
        wanted = rows if known is None else rows | known.rows
        found = node.combine(self, wanted)
        if found is not None:
            self.known[node] = Known(wanted, found)
        return found

    def _leaf(self, reward: Reward, rows: Rows) -> Scores | None:
        if not rows.any():
            return _nothing(len(rows), _names(reward))
        index = np.flatnonzero(rows)
        part = self.batch if len(index) == len(rows) else self.batch.take(index)
        scores = self._judged(reward, part, rows) if isinstance(reward, JudgedReward) else reward.score(part)
        if scores is None or len(index) == len(rows):
            return scores
        return _scattered(scores, rows)

    def _judged(self, reward: JudgedReward, part: Batch, rows: Rows) -> Scores | None:
        key = (reward, rows.tobytes())
        if key not in self.listed:
            self.listed[key] = reward.questions(part)
        questions, asked = self.listed[key], (reward.judge, reward.ability)
        answers = self.verdicts.setdefault(asked, {})
        missing = [question for row in questions for question in row if question not in answers]
        if missing:
            self.open.setdefault(asked, {}).update(dict.fromkeys(missing))
            return None
        return reward.judged(part, [tuple(answers[question] for question in row) for row in questions])

    def _ask(self) -> None:
        """Ask every judge its open questions, the judges concurrently."""
        waiting, self.open = list(self.open.items()), {}
        if not waiting:
            raise CompositionError("an expression waits for verdicts, but asks nothing")
        with ThreadPoolExecutor(max_workers=len(waiting)) as pool:
            answered = pool.map(lambda item: ask(item[0][0], item[0][1], list(item[1])), waiting)
            for (asked, questions), verdicts in zip(waiting, answered, strict=True):
                self.verdicts[asked].update(zip(questions, verdicts, strict=True))


def evaluate(reward: Reward, batch: Batch) -> Scores:
    """Score `batch` with an expression, after checking that every column it reads is there."""
    _check_names(reward)
    reward.check(batch)
    return Evaluation(batch).run(reward)


def _check_names(reward: Reward) -> None:
    """One name, one reward, except in the cases of a switch, of which a row sees one only."""
    from sightline.rewards.switch import Switch

    seen: dict[str, Reward] = {}

    def visit(node: Reward) -> None:
        if isinstance(node, Named) and seen.setdefault(node.name, node) != node:
            raise CompositionError(f"two different rewards are named `{node.name}`: give one another name")
        for child in () if isinstance(node, Switch) else node.children():
            visit(child)

    visit(reward)


def _names(reward: Reward) -> list[str]:
    return [node.name for node in reward.walk() if isinstance(node, Named)]


def _nothing(size: int, names: Sequence[str] = ()) -> Scores:
    why = [NOT_EVALUATED] * size
    values = np.full(size, np.nan)
    return Scores(values, why, NoMarks(size), {name: Scores(values, why, NoMarks(size)) for name in names})


def _scattered(scores: Scores, rows: Rows) -> Scores:
    """Scores of the rollouts in `rows`, as scores of all of them."""
    index = np.flatnonzero(rows)
    values = np.full(len(rows), np.nan)
    values[index] = scores.values
    why = [NOT_EVALUATED] * len(rows)
    for i, reason in zip(index, scores.why, strict=True):
        why[i] = reason
    place = np.full(len(rows), -1, dtype=np.int64)
    place[index] = np.arange(len(index))
    marks = NoMarks(len(rows)) if isinstance(scores.marks, NoMarks) else PickedMarks(scores.marks, place)
    return Scores(values, why, marks, {name: _scattered(part, rows) for name, part in scores.parts.items()})


def _patched(old: Scores, new: Scores, rows: Rows) -> Scores:
    """`old` with the rollouts `rows` taken from `new`."""
    values = np.where(rows, new.values, old.values)
    why = [new.why[i] if rows[i] else old.why[i] for i in range(len(rows))]
    return Scores(values, why, chained([old.marks, new.marks]))
