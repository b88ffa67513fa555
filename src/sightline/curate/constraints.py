"""Independent descriptions of pictures, made once per question before any solution is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.judges.judge import Generates, Question, Sampling, ask
from sightline.judges.prompts import prompt
from sightline.parse.constraints import read_constraints
from sightline.rewards.pictures import pictures

CONSTRAINTS, REASON = "constraints", "constraints_error"


@dataclass(frozen=True)
class Extractor:
    """Describes the pictures of rows, each picture with its question once.

    A row gets `constraints`, an object with `caption`, `key_facts` and `uncertain`. Where the extractor failed it is
    None, with the reason in `constraints_error`: solutions of such a row are scored ungated.

    Args:
        judge: sees the picture and the question.
        template: `premise_constraints` asks for facts, `premise_description` for prose.
        instead: a text that stands in for a failed description, as in released code; None: there is none.

    Example:
        >>> from sightline.judges.replay import ScriptedJudge
        >>> row = {"question": "How long is AB?", "images": ["ab.png"]}
        >>> Extractor(ScriptedJudge(('{"caption": "A line.", "key_facts": ["AB = 7"]}',)))([row])[0]["constraints"]
        {'caption': 'A line.', 'key_facts': ['AB = 7'], 'uncertain': []}

    References:
        Explicit visual premise verification, arXiv 2603.16253.
    """

    judge: Generates
    template: str = prompt("premise_constraints").text
    sampling: Sampling = Sampling(temperature=0.1, max_tokens=2048, seed=0)
    instead: str | None = None

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The rows with their descriptions.

        Raises:
            ColumnError: a row has no `question`.
        """
        verdicts = ask(self.judge, "generate", [self._question(number, row) for number, row in enumerate(rows)])
        return [
            {**row, **self._described(verdict.value, verdict.error)}
            for row, verdict in zip(rows, verdicts, strict=True)
        ]

    def _question(self, number: int, row: Mapping[str, Any]) -> Question:
        if "question" not in row:
            raise ColumnError(f"Extractor reads `question`; row {number} has {sorted(row)}")
        fields = (("question", str(row["question"])),)
        return Question(self.template, fields, images=pictures(row.get("images")), sampling=self.sampling)

    def _described(self, reply: str | None, error: str) -> dict[str, Any]:
        found = Missing(error) if reply is None else read_constraints(reply)
        if isinstance(found, Missing):
            said = "" if reply is None else f" in {reply!r:.80}"
            return {CONSTRAINTS: self.instead, REASON: found.why + said}
        listed = {"caption": found.caption, "key_facts": [*found.key_facts], "uncertain": [*found.uncertain]}
        return {CONSTRAINTS: listed, REASON: ""}
