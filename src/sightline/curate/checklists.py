"""Perception checklists: for a question on a picture, the short questions that its answer rests on.

A teacher that is told the right answer writes them, once, before training. A question that cannot be checked by rule is
dropped. Whether its facts are true and needed is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.judges import Generates, Prompt, Question, Sampling, ask, prompt
from sightline.judges.verdicts import json_values
from sightline.parse.text import squeezed
from sightline.rewards.pictures import pictures_of

Row = Mapping[str, Any]
PROBLEM, PROBE, KEY, REASON = "problem", "probe_problem", "probe_answer", "probe_error"
SIDES = ("reason", "checklist")
BOXED = "Think inside <think> </think>, then put the final answer in \\boxed{}."
NUMBERED = "Answer every question directly, question N inside <aN> </aN>."
ALONE = "Answer directly, inside \\boxed{}."


@dataclass(frozen=True)
class ChecklistWriter:
    """Adds the columns `probe_problem`, `probe_answer` and `probe_error` to rows.

    Args:
        teacher: writes the checklist; it sees the pictures.
        words: the prompt, with places for question and answer.
        most: questions that are kept.
        longest: characters of an answer that can be checked by rule.
        sampling: how the teacher writes.
        column: the question; the places of pictures, <image>, are taken out of it.

    Reads: `column`, `answer`; `images` or `image`. A row that fails has an empty checklist and the reason.

    Raises:
        ColumnError: a row has no question or no `answer`.

    Example:
        >>> from sightline.judges import ScriptedJudge
        >>> said = '[{"question": "How many dots?", "answer": 4}, {"question": "Which colour?", "answer": "red"}]'
        >>> row = ChecklistWriter(ScriptedJudge((said,)))([{"problem": "Twice the dots?", "answer": "8"}])[0]
        >>> row["probe_problem"], row["probe_answer"]
        ('<q1>How many dots?</q1><q2>Which colour?</q2>', '<a1>4</a1><a2>red</a2>')

    References:
        PEARL, arXiv 2511.18437, checklists by GPT-4.1. The words of the prompt are ours.
    """

    teacher: Generates
    words: Prompt = prompt("checklist_teacher")
    most: int = 6
    longest: int = 40
    sampling: Sampling = Sampling(max_tokens=1024)
    column: str = PROBLEM

    def __call__(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The rows with their checklists, in order."""
        verdicts = ask(self.teacher, "generate", [self._question(row, n) for n, row in enumerate(rows)])
        made = []
        for row, verdict in zip(rows, verdicts, strict=True):
            found = Missing(verdict.error or "silence") if verdict.value is None else self.read(verdict.value, row)
            items = () if isinstance(found, Missing) else found
            asked = "".join(f"<q{n}>{question}</q{n}>" for n, (question, _) in enumerate(items, 1))
            key = "".join(f"<a{n}>{answer}</a{n}>" for n, (_, answer) in enumerate(items, 1))
            made.append({**row, PROBE: asked, KEY: key, REASON: found.why if isinstance(found, Missing) else ""})
        return made

    def read(self, reply: str, row: Row) -> tuple[tuple[str, str], ...] | Missing:
        """The (question, answer) pairs of a reply that can be checked by rule and do not ask the row's question again.

        Example:
            >>> from sightline.judges import ScriptedJudge
            >>> writer = ChecklistWriter(ScriptedJudge(()))
            >>> writer.read('[{"question": "How many?", "answer": "</a1>"}]', {"problem": "", "answer": ""}).why
            'no question with an answer that can be checked by rule'
        """
        listed = next((value for value in json_values(reply, "[") if isinstance(value, list)), [])
        pairs = [_pair(item) for item in listed]
        again = squeezed(_asked(row[self.column]))
        kept = [
            pair for pair in pairs
            if pair is not None and len(pair[1]) <= self.longest and squeezed(pair[0]) != again
        ]  # fmt: skip
        several = tuple(dict(kept).items())[: self.most]
        return several or Missing("no question with an answer that can be checked by rule")

    def _question(self, row: Row, number: int) -> Question:
        for column in (self.column, "answer"):
            if row.get(column) is None:
                raise ColumnError(f"checklists: row {number} needs column `{column}`; it has {sorted(row)}")
        fields = (("question", _asked(row[self.column])), ("answer", str(row["answer"])))
        return Question(self.words.text, fields, images=pictures_of(row), sampling=self.sampling)


def checklist_rows(rows: Iterable[Row], column: str = PROBLEM) -> Iterator[dict[str, Any]]:
    """Two neighbouring rows for every row: its question, and its checklist, `side` telling which.

    Args:
        rows: with a question, `probe_problem` and `probe_answer`; pictures in `images` or `image` belong to both, and
            <image> is taken out of the texts.
        column: the question.

    A row with an empty checklist has both sides too, so that groups stay aligned: its second side asks for nothing and
    is not applicable.

    Raises:
        ColumnError: a row has no question, or no `probe_problem`.

    Example:
        >>> row = {"problem": "Twice the dots?", "probe_problem": "<q1>How many?</q1>", "probe_answer": "<a1>4</a1>"}
        >>> [(made["side"], made["prompt"][0]["content"].splitlines()[0]) for made in checklist_rows([row])]
        [('reason', 'Twice the dots?'), ('checklist', '<q1>How many?</q1>')]
    """
    for number, row in enumerate(rows):
        for name in (column, PROBE):
            if not isinstance(row.get(name), str):
                raise ColumnError(f"checklists: row {number} needs a text in column `{name}`; it has {sorted(row)}")
        rest = {key: value for key, value in row.items() if key not in (column, PROBE, REASON)}
        probe = _asked(row[PROBE])
        asked = (
            f"{_asked(row[column])}\n{BOXED}",
            f"{probe}\n{NUMBERED if '<q' in probe else ALONE}" if probe else "There is nothing to answer.",
        )
        shown = [{"type": "image"} for _ in pictures_of(row)]
        for side, text in zip(SIDES, asked, strict=True):
            content: Any = [*shown, {"type": "text", "text": text}] if shown else text
            yield {**rest, "prompt": [{"role": "user", "content": content}], "side": side}


def _pair(item: Any) -> tuple[str, str] | None:
    """A question and its answer, if both are short texts without tags."""
    if not isinstance(item, Mapping):
        return None
    question, answer = item.get("question"), item.get("answer")
    if not isinstance(question, str) or isinstance(answer, bool) or not isinstance(answer, str | int | float):
        return None
    question, said = question.strip(), str(answer).strip()
    return (question, said) if question and said and "<" not in question + said else None


def _asked(text: Any) -> str:
    """A question without the places of its pictures, which are shown before it."""
    return str(text).replace("<image>", "").strip()
