"""How many of the facts that can be seen a reply states, as a judge that reads finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Score, Scores, abstain, failed
from sightline.judges.judge import Question, Verdict
from sightline.judges.prompts import prompt
from sightline.parse.numbered_facts import FactShare, as_numbered, numbered_facts
from sightline.rewards.gold import GoldReward
from sightline.rewards.reward import JudgedReward, Reward

MOST = 100_000  # characters of a response that the judge without a model reads
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class StatesFacts(GoldReward, JudgedReward):
    """The share of the listed facts that the reply states; presence is tested, neither truth nor relevance.

    value = (1/m) sum_j v_j, v_j in [0, 1] the judge's verdict on fact j

    A reply that states each fact and its opposite is paid in full: pair it with a penalty that such floods meet, and
    with the accuracy.

    Args:
        judge: sees facts and reply, no picture.
        column: the facts, `<info1>fact</info1>` and so on; or a list of texts.
        share: (reply of the judge, m) -> value.
        template: the prompt, with places `facts` and `response`.

    Reads: `column`. Range: [0, 1]. Low, without a call: an empty reply. Low: verdicts that cannot be read count as 0,
    as the paper has it. NaN: no facts are listed (nothing to judge), or the judge failed.

    Raises:
        ColumnError: the column holds something else.

    Example:
        >>> columns = {"visual_key_info": ["<info1>AB is 5</info1><info2>C is right</info2>"] * 2}
        >>> StatesFacts(WordsStated())(Batch(["As AB is 5, ...", "Guess: 7"], columns)).values
        array([0.5, 0. ])

    References:
        Perception-R1, arXiv 2506.07218: visual perception reward.
    """

    column: str = "visual_key_info"
    share: Callable[[str, int], float] = FactShare()
    template: str = prompt("facts_stated").text

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        facts = "<info1>AB is 5</info1>\n<info2>C is right</info2>"
        rows: list[dict[str, Any]] = [
            {"completion": text, "visual_key_info": facts} for text in ("AB is 5 and C is right", "C is right", "", "7")
        ]
        return cls(WordsStated()), [*rows, {**rows[0], "visual_key_info": ""}, {**rows[1], "visual_key_info": None}]

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [
            (Question(self.template, (("facts", as_numbered(facts)), ("response", text)), fenced=("response",)),)
            if facts and text.strip() else ()
            for facts, text in zip(self.right(batch), batch.texts, strict=True)
        ]  # fmt: skip

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = zip(self.right(batch), verdicts, strict=True)
        return Scores.from_rows([self._one(facts, said) for facts, said in rows])

    def _one(self, facts: tuple[str, ...], verdicts: tuple[Verdict[Any], ...]) -> Score:
        if not facts:
            return abstain("no facts are listed")
        if not verdicts:
            return Score(0.0, "the reply is empty")
        if verdicts[0].value is None:
            return failed(verdicts[0].error)
        value = self.share(verdicts[0].value, len(facts))
        return Score(value, f"{value:.0%} of {len(facts)} facts: {verdicts[0].value!r:.80}")

    def right(self, batch: Batch) -> list[tuple[str, ...]]:
        return [_read(value, self.column, row) for row, value in enumerate(batch.column(self.column, "StatesFacts"))]


def _read(value: Any, column: str, row: int) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return numbered_facts(value)
    if isinstance(value, (list, tuple, np.ndarray)) and all(isinstance(one, str) for one in value):
        return tuple(fact for one in value if (fact := one.strip()))
    raise ColumnError(
        f"StatesFacts: column `{column}` of row {row} is {value!r:.60}; it needs a text or a list of texts"
    )


@dataclass(frozen=True)
class WordsStated:
    """A judge without a model: a fact is stated if all its words occur in the response, in this order and in a row.

    Reads: the question's fields `facts` and `response`.

    Example:
        >>> fields = (("facts", "<info1>AB is 5</info1>"), ("response", "since AB is 5."))
        >>> WordsStated().generate([Question("", fields)])[0].value
        '<info1>1</info1>'
    """

    @property
    def id(self) -> str:
        return "words in a row"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """Verdicts in the form of the facts."""
        return [Verdict(self._said(question)) for question in questions]

    def _said(self, question: Question) -> str:
        said = f" {' '.join(_WORD.findall(str(question.field('response', ''))[:MOST].lower()))} "
        facts = numbered_facts(str(question.field("facts", "")))
        stated = [f" {' '.join(_WORD.findall(fact.lower()))} " in said for fact in facts]
        return as_numbered(tuple(str(int(one)) for one in stated))
