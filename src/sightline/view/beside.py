"""Two results of the same rollouts, so that what one system pays can be seen beside what another pays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sightline.core.errors import RolloutFileError
from sightline.view.results import Results

OWN = ("reward", "why", "marks")  # columns of scores, beside the parts with their reasons
SAME_INPUT = ("input", "columns", "joined")  # of a result's facts


def check_same(first: Results, second: Results) -> None:
    """Raise unless both hold the same rollouts in the same order.

    What `sightline score` noted decides where it can: the same input, read the same way. Else completions are compared,
    some thousand at a time.

    Raises:
        RolloutFileError: they are not the same; the message says where they begin to differ.
    """
    names = f"{first.files[0]} and {second.files[0]}"
    if len(first) != len(second):
        raise RolloutFileError(
            f"{names} do not hold the same rollouts: {len(first):,} and {len(second):,}. Score one file of rollouts "
            "with both systems and give the two results"
        )
    facts = [{name: results.facts.get(name) for name in SAME_INPUT} for results in (first, second)]
    if facts[0] == facts[1] and facts[0]["input"] is not None:
        return
    for at, (mine, other) in enumerate(zip(_texts(first), _texts(second), strict=True)):
        if mine != other:
            raise RolloutFileError(f"{names} do not hold the same rollouts: row {at} has another completion")


def scored_as(row: Mapping[str, Any], results: Results, scores: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `results` with the scores that another system gave it.

    Args:
        row: of `results`.
        scores: the same row of the other result.
    """
    own = {*OWN, *(name for part in results.parts for name in (part.name, part.why))}
    data = {name: value for name, value in row.items() if name not in own}
    return {**data, **scores}


def variant_names(first: Path, second: Path) -> tuple[str, str]:
    """Names by which two results are told apart: their file names, or folders and file names where those are equal.

    Example:
        >>> variant_names(Path("out/strict.parquet"), Path("out/official.parquet"))
        ('strict', 'official')
        >>> variant_names(Path("a/scored.parquet"), Path("b/scored.parquet"))
        ('a/scored', 'b/scored')
    """
    names = first.stem, second.stem
    if names[0] == names[1]:
        return f"{first.absolute().parent.name}/{names[0]}", f"{second.absolute().parent.name}/{names[1]}"
    return names


def _texts(results: Results) -> Iterator[Any]:
    for path in results.files:
        with pq.ParquetFile(path) as file:
            if "completion" not in file.schema_arrow.names:
                raise RolloutFileError(
                    f"{path}: has no column `completion` (scored with --lean?), so nothing tells that its rollouts are "
                    "those of the other file"
                )
            for batch in file.iter_batches(columns=["completion"]):
                yield from batch.column(0).to_pylist()
