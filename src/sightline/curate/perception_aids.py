"""One question asked with more and with less help to see: alone, with a true description, blind, with a false one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, Literal, get_args

from sightline.curate.fact_corruption import with_errors
from sightline.parse.constraints import Constraints

Aid = Literal["alone", "described", "blind", "misled"]
AIDS: tuple[Aid, ...] = get_args(Aid)


def aided(row: Mapping[str, Any], truth: Constraints, aid: Aid, seed: int = 0) -> dict[str, Any]:
    """The row with its question as it is put with one kind of help.

    alone: picture and question; described: with a true description as well; blind: question and true description, no
    picture; misled: the picture and a description with 3 to 5 errors.

    Example:
        >>> row, truth = {"question": "How long is AB?", "images": ["ab.png"]}, Constraints("AB = 7")
        >>> aided(row, truth, "blind")
        {'question': 'How long is AB?\\n\\nDescription of the picture:\\nAB = 7', 'images': []}
    """
    if aid == "alone":
        return dict(row)
    told = with_errors(truth, seed=seed) if aid == "misled" else truth
    question = f"{row['question']}\n\nDescription of the picture:\n{told.text}"
    return {**row, "question": question, "images": [] if aid == "blind" else row["images"]}


def contrasting_neighbours(
    rows: Sequence[Mapping[str, Any]], image: str = "image", rating: str = "rating"
) -> list[Any]:
    """Pairs (good, bad) of neighbouring rows with one picture, rated + and -: the first of each picture.

    Example:
        >>> rows = [{"image": "a", "rating": sign} for sign in "++-+"]
        >>> [(rows.index(good), rows.index(bad)) for good, bad in contrasting_neighbours(rows)]
        [(0, 2)]
    """
    pairs: dict[Any, Any] = {}
    for picture, group in groupby(rows, key=lambda row: row[image]):
        own = list(group)
        for first, second in pairwise(own):
            if {first[rating], second[rating]} == {"+", "-"}:
                pairs.setdefault(picture, (first, second) if first[rating] == "+" else (second, first))
    return list(pairs.values())
