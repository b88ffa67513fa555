"""Gold answers in the words of the policy, so that its tokens differ as little as possible from what it writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sightline.core.errors import ColumnError
from sightline.parse.json import load
from sightline.parse.tags import Block


def aligned_label(answer: Any) -> str:
    """A gold answer as the policy would write it, without a think block.

    JSON with a blank after comma and colon, keys in the given order, in answer tags; so is a text that is a JSON list
    or object. Any other text stands there as it is. Answer tags that a text brings are not doubled.

    Raises:
        ColumnError: the answer is nothing that JSON can hold.

    Example:
        >>> aligned_label([{"bbox_2d": [1, 2, 3, 4], "point_2d": [2, 3]}])
        '<answer>[{"bbox_2d": [1, 2, 3, 4], "point_2d": [2, 3]}]</answer>'
        >>> aligned_label("dog"), aligned_label([]), aligned_label("<answer>[1,2]</answer>")
        ('<answer>dog</answer>', '<answer>[]</answer>', '<answer>[1, 2]</answer>')
    """
    if isinstance(answer, str):
        answer = Block("answer", otherwise="text")(answer)
        found = load(str(answer))
        answer = found if isinstance(found, list | dict) else answer
    try:
        text = answer if isinstance(answer, str) else json.dumps(answer, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ColumnError(f"a label cannot be written as JSON: {error}") from error
    return f"<answer>{text}</answer>"


def with_labels(rows: Iterable[Mapping[str, Any]], column: str = "solution") -> Iterator[dict[str, Any]]:
    """The rows with a column `label`, made from `column`, for credit rules that inject it.

    Raises:
        ColumnError: a row lacks the column.

    Example:
        >>> [row["label"] for row in with_labels([{"solution": []}])]
        ['<answer>[]</answer>']
    """
    for number, row in enumerate(rows):
        if column not in row:
            raise ColumnError(f"labels are made from column `{column}`; row {number} has {sorted(row)}")
        yield {**row, "label": aligned_label(row[column])}
