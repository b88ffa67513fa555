"""Chains of thought for videos: written from a record of the video, corrected by a model that sees it.

    record = describer(frames);  blind = reasoner(question, record);  chain = viewer(frames, question, blind)

What is kept afterwards: chains whose answer is right, or, where answers are free, those that agree best with the video.
The module knows describer, reasoner and viewer only as judges that `generate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.judges import Generates, Prompt, Question, Sampling, ask, prompt
from sightline.rewards.reward import Reward

Row = Mapping[str, Any]
CHAIN, REASON = "chain", "chain_error"


@dataclass(frozen=True)
class ChainWriter:
    """Adds the columns `chain` (reasoning and answer in tags) and `chain_error` to rows.

    Args:
        describer: sees the frames, writes the record.
        reasoner: sees question and record, not the frames.
        viewer: sees frames, question and chain.
        record, blind, correction: their prompts.
        max_tokens: of a chain.

    Reads: `question`; `images`, the frames. A row that fails has `chain` None and the reason in `chain_error`.

    Example:
        >>> from sightline.judges import ScriptedJudge
        >>> said = [ScriptedJudge((text,)) for text in ("{}", "<think>red</think>", "<think>blue</think>")]
        >>> ChainWriter(*said)([{"question": "Which colour?", "images": []}])[0]["chain"]
        '<think>blue</think>'

    References:
        Wang et al., VideoRFT, arXiv 2505.12434, data construction. The words of the prompts are ours.
    """

    describer: Generates
    reasoner: Generates
    viewer: Generates
    record: Prompt = prompt("video_record")
    blind: Prompt = prompt("blind_chain")
    correction: Prompt = prompt("chain_correction")
    max_tokens: int = 1024

    def __call__(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The rows with their chains, in order."""
        made = [{**row, CHAIN: None, REASON: ""} for row in rows]
        self._step(made, self.describer, lambda row: self._asked(self.record, (), row["images"]))
        told = ("question", "record")
        self._step(made, self.reasoner, lambda row: self._asked(self.blind, _fields(row, *told)), keep="record")
        seen = ("question", "chain")
        self._step(made, self.viewer, lambda row: self._asked(self.correction, _fields(row, *seen), row["images"]))
        return [{key: value for key, value in row.items() if key != "record"} for row in made]

    def _asked(self, words: Prompt, fields: tuple[tuple[str, Any], ...], shown: Iterable[Any] = ()) -> Question:
        fenced = tuple(name for name, _ in fields if name == "chain")
        return Question(words.text, fields, fenced, tuple(shown), sampling=Sampling(max_tokens=self.max_tokens))

    def _step(self, made: list[dict[str, Any]], who: Generates, question: Any, keep: str = "") -> None:
        """Ask one judge about every row that has not failed; its reply becomes the chain, the last one `keep`."""
        going = [row for row in made if not row[REASON]]
        if keep:
            for row in going:
                row[keep] = row[CHAIN]
        verdicts = ask(who, "generate", [question(row) for row in going])
        for row, verdict in zip(going, verdicts, strict=True):
            row[CHAIN], row[REASON] = verdict.value, verdict.error


def _fields(row: Row, *names: str) -> tuple[tuple[str, Any], ...]:
    return tuple((name, row[name]) for name in names)


def kept(
    rows: Sequence[Row],
    right: Reward,
    agreement: Reward,
    structured: Sequence[str] = ("multiple choice", "numerical", "OCR", "regression"),
    share: float = 0.5,
    above: float = 0.5,
) -> list[Row]:
    """Chains worth learning from, in the order of the rows.

    Args:
        rows: with `chain`, `problem_type`, and what the two rewards read; `source` (one data set each) if there is one.
        right: decides chains whose `problem_type` is in `structured`: kept above `above`.
        agreement: ranks the others within their source: the best `share` of them is kept, at least one.

    Rows without a chain are dropped, and so are those that cannot be scored.

    Example:
        >>> from sightline.rewards.answers import Answer, same_text
        >>> rows = [{"chain": f"<answer>{a}</answer>", "answer": "B", "problem_type": "OCR"} for a in "AB"]
        >>> [row["chain"] for row in kept(rows, Answer(same_text), Answer(same_text))]
        ['<answer>B</answer>']
    """
    written = [row for row in rows if row.get(CHAIN)]
    closed = [row for row in written if row["problem_type"] in structured]
    free = [row for row in written if row["problem_type"] not in structured]
    chosen = {id(row) for row, value in zip(closed, _values(right, closed), strict=True) if value > above}
    values = _values(agreement, free)
    for source in {row.get("source") for row in free}:
        ranked = [i for i, row in enumerate(free) if row.get("source") == source and not np.isnan(values[i])]
        ranked.sort(key=lambda i: -values[i])
        chosen |= {id(free[i]) for i in ranked[: max(1, int(share * len(ranked)))]}
    return [row for row in written if id(row) in chosen]


def _values(reward: Reward, rows: Sequence[Row]) -> Any:
    if not rows:
        return np.zeros(0)
    return reward(Batch.from_rows([{**row, "completion": row[CHAIN]} for row in rows])).values
