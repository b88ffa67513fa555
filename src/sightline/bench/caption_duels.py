"""Two generators' pictures for the same captions, compared by a judge: who follows the text, and does order decide?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.judges.judge import Judge, Question, Sampling, ask
from sightline.judges.prompts import prompt
from sightline.judges.verdicts import json_verdict
from sightline.metrics.preferences import FIRST, SECOND, TIE, Bias, Duels, duels, position_bias

WARM = Sampling(temperature=0.3, max_tokens=512)


def caption_duels(rows: Sequence[Mapping[str, Any]], judge: Judge, seed: int = 0, retries: int = 3) -> dict[str, Any]:
    """Wins and losses of A against B over captions, each pair shown once, in an order drawn by chance.

    Args:
        rows: `caption`, `image_a` and `image_b`, one a caption.
        judge: sees both pictures; asked at temperature 0.3 with the seeds seed, seed + 1, ...
        seed: of the orders and of the first try.
        retries: how often an unreadable or failed judgement is asked for again; then it is left out, never a tie.

    Returns:
        `duels` and `bias` (see `metrics.preferences`), `preferences`, `swapped`, and `failed`: row -> last reason.

    Raises:
        ColumnError: a row lacks a key.

    References:
        PromptEcho, arXiv 2604.12652, DenseAlignBench.
    """
    swapped = np.random.default_rng(seed).random(len(rows)) < 0.5
    questions = [_question(row, number, bool(swapped[number])) for number, row in enumerate(rows)]
    found: dict[int, str] = {}
    failed = dict.fromkeys(range(len(rows)), "not asked")
    for attempt in range(retries + 1):
        waiting = list(failed)
        sampling = replace(WARM, seed=seed + attempt)
        verdicts = ask(judge, "generate", [replace(questions[row], sampling=sampling) for row in waiting])
        for row, verdict in zip(waiting, verdicts, strict=True):
            said = Missing(verdict.error) if verdict.value is None else preference(verdict.value)
            if isinstance(said, Missing):
                failed[row] = said.why
            else:
                found[row] = said
                del failed[row]
    said_of = [found.get(row) for row in range(len(rows))]
    counted: Duels = duels(said_of, swapped.tolist())
    bias: Bias = position_bias(said_of, swapped.tolist())
    return {"duels": counted, "bias": bias, "preferences": said_of, "swapped": swapped.tolist(), "failed": failed}


def preference(reply: str) -> str | Missing:
    """`image_a`, `image_b` or `tie` from the one JSON object of a reply.

    Example:
        >>> preference('{"reasoning": "more balls", "preference": "image_b"}')
        'image_b'
        >>> preference('{"preference": "image_a"} {"preference": "tie"}').why
        'two different JSON objects'
    """
    verdict = json_verdict(reply)
    if isinstance(verdict, Missing):
        return verdict
    said = verdict.get("preference")
    return said if said in (FIRST, SECOND, TIE) else Missing(f"preference is {said!r:.40}")


def _question(row: Mapping[str, Any], number: int, swapped: bool) -> Question:
    lacking = [key for key in ("caption", "image_a", "image_b") if row.get(key) is None]
    if lacking:
        raise ColumnError(f"caption_duels: row {number} lacks {lacking}")
    pair = (row["image_a"], row["image_b"])
    shown = pair[::-1] if swapped else pair
    return Question(prompt("caption_duel").text, (("caption", str(row["caption"])),), images=shown)
