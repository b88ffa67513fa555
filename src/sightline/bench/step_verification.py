"""How well step verdicts agree with labelled solutions: records of steps with 1, -1 or 0, scored by any step reward."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.metrics.best_of import SignAgreement, sign_agreement
from sightline.metrics.step_aggregates import PASSES
from sightline.rewards.reward import Reward

Record = Mapping[str, Any]


def solutions(records: Sequence[Record]) -> Batch:
    """The records as solutions that a step reward can score.

    A record holds `question`, `image` (a path or a list) and `response` with `steps`, `process_correctness` and, where
    they were stated, `premises`; further keys, such as `constraints`, become columns.

    Raises:
        ColumnError: a record has not as many labels as steps.
    """
    rows = []
    for number, record in enumerate(records):
        response = record["response"]
        steps, labels = response["steps"], response["process_correctness"]
        if len(steps) != len(labels):
            raise ColumnError(f"record {number} has {len(steps)} steps and {len(labels)} labels")
        premises = response.get("premises") or [None] * len(steps)
        listed = [{"steptext": t, "visualdependency": p} for t, p in zip(steps, premises, strict=True)]
        text = json.dumps({"reasoningprocess": listed, "finalanswer": ""}, ensure_ascii=False)
        image = record.get("image")
        rest = {key: value for key, value in record.items() if key not in ("response", "image")}
        images = image if isinstance(image, list) else [] if image is None else [image]
        rows.append({"constraints": None, **rest, "completion": text, "images": images})
    return Batch.from_rows(rows)


def verification(records: Sequence[Record], reward: Reward, above: float = PASSES) -> SignAgreement:
    """Agreement of a step reward's marks with the labels; a step counts as right if its mark is at least `above`.

    A solution that could not be scored has no verdicts: its steps count as wrong.

    Example:
        >>> from sightline.judges.premise_words import PremiseWords
        >>> from sightline.rewards.premises import PremisedSteps
        >>> response = {"steps": ["1 + 1 = 2", "2 + 2 = 5"], "process_correctness": [1, -1]}
        >>> verification([{"question": "?", "response": response}], PremisedSteps(PremiseWords()))
        SignAgreement(right=1.0, wrong=1.0, macro=1.0, steps=2)
    """
    scores = reward(solutions(records))
    verdicts = [[1.0 if mark.value >= above else -1.0 for mark in marks] for marks in scores.marks]
    return sign_agreement([record["response"]["process_correctness"] for record in records], verdicts)
