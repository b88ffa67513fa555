"""Questions with a twin, the same question in other words, as neighbouring rows of data.

A rephraser writes the twin without solving anything; a question whose twin cannot be read is dropped with it, so that
both sides stay aligned. Whether a twin has the same answer is not known here: `trusted` keeps the pairs on which a
strong solver's votes agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.judges import Generates, Prompt, Question, Sampling, ask, prompt
from sightline.metrics.votes import cross_agreement
from sightline.rewards.agreement import SIDES
from sightline.rewards.pictures import pictures_of

Row = Mapping[str, Any]
TWIN, REASON = "rephrased", "rephrased_error"
_BETWEEN = re.compile(r"^=== NEW QUESTION ===[ \t]*+$(.*?)^=== END ===[ \t]*+$", re.MULTILINE | re.DOTALL)
BOXED = "Reason step by step, and put the final answer in \\boxed{}."


@dataclass(frozen=True)
class TwinWriter:
    """Adds the columns `rephrased` and `rephrased_error` to rows.

    Args:
        rephraser: writes the twin; a strong model, for a changed number makes a false label.
        words: the prompt, with a place for the question.
        sampling: how it writes.

    Reads: `question`; `images` or `image` if a picture belongs to it. A row that fails has `rephrased` None and the
    reason in `rephrased_error`.

    Example:
        >>> from sightline.judges import ScriptedJudge
        >>> said = "=== NEW QUESTION ===\\nTwo and two make what?\\n=== END ==="
        >>> TwinWriter(ScriptedJudge((said,)))([{"question": "2 + 2?"}])[0]["rephrased"]
        'Two and two make what?'

    References:
        Zhang et al., Co-Reward, arXiv 2508.00410, rephrasing by Qwen3-32B. The words of the prompt are ours.
    """

    rephraser: Generates
    words: Prompt = prompt("rephrase")
    sampling: Sampling = Sampling(temperature=0.7, top_p=0.8, max_tokens=1024)

    def __call__(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The rows with their twins, in order."""
        verdicts = ask(self.rephraser, "generate", [self._question(row) for row in rows])
        made = []
        for row, verdict in zip(rows, verdicts, strict=True):
            found = Missing(verdict.error or "silence") if verdict.value is None else read_twin(verdict.value)
            if isinstance(found, str) and _plain(found) == _plain(str(row["question"])):
                found = Missing("the same words as the question")
            failed = isinstance(found, Missing)
            made.append(
                {**row, TWIN: None if failed else found, REASON: found.why if isinstance(found, Missing) else ""}
            )
        return made

    def _question(self, row: Row) -> Question:
        return Question(
            self.words.text, (("question", row["question"]),), images=pictures_of(row), sampling=self.sampling
        )


def read_twin(reply: str) -> str | Missing:
    """The text between the two marker lines; the last such pair counts, for a model may think aloud before it.

    Example:
        >>> read_twin("=== NEW QUESTION ===\\nHow many?\\n=== END ===\\n"), read_twin("How many?").why
        ('How many?', 'no question between the marker lines')
    """
    found = _BETWEEN.findall(reply)
    return (
        found[-1].strip() or Missing("an empty question") if found else Missing("no question between the marker lines")
    )


def twin_rows(rows: Iterable[Row], instruction: str = BOXED) -> Iterator[dict[str, Any]]:
    """Two neighbouring rows for every row with a twin: the question and its twin, `side` telling which; others none.

    Args:
        rows: with `question` and `rephrased`; pictures in `images` or `image` belong to both sides.
        instruction: set behind either question.

    Raises:
        ColumnError: a row has no `question`, or `rephrased` is no text.

    Example:
        >>> for row in twin_rows([{"question": "2 + 2?", "rephrased": "Two and two?", "answer": "4"}], ""):
        ...     print(row)
        {'answer': '4', 'prompt': [{'role': 'user', 'content': '2 + 2?'}], 'side': 'original'}
        {'answer': '4', 'prompt': [{'role': 'user', 'content': 'Two and two?'}], 'side': 'rephrased'}
    """
    for number, row in enumerate(rows):
        for column in ("question", TWIN):
            if column not in row or not isinstance(row[column], str | None):
                raise ColumnError(f"twins: row {number} needs a text in column `{column}`; it has {sorted(row)}")
        if not row[TWIN]:
            continue
        rest = {key: value for key, value in row.items() if key not in ("question", TWIN, REASON)}
        for side, asked in zip(SIDES, (row["question"], row[TWIN]), strict=True):
            text = "\n".join(filter(None, (asked, instruction)))
            shown = [{"type": "image"} for _ in pictures_of(row)]
            content: Any = [*shown, {"type": "text", "text": text}] if shown else text
            yield {**rest, "prompt": [{"role": "user", "content": content}], "side": side}


def trusted(rows: Sequence[Row], original: str = "answers", rephrased: str = "rephrased_answers") -> list[Row]:
    """The rows on whose two phrasings a strong solver votes for the same answer.

    Args:
        original, rephrased: columns with the solver's answers to either phrasing, lists of texts in one spelling.

    Example:
        >>> rows = [{"answers": ["4", "4", "5"], "rephrased_answers": [right]} for right in ("4", "5", "")]
        >>> len(trusted(rows))
        1
    """
    return [row for row in rows if cross_agreement(row[original], row[rephrased]).same]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
