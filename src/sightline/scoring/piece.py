"""One piece of a rollout file through a reward: columns in, result columns out. Runs in worker processes too."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.core.batch import Batch
from sightline.core.errors import ConfigError, MissingExtra, RolloutFileError
from sightline.core.rollout import RESERVED, Turn
from sightline.rewards.reward import Reward
from sightline.scoring.blocks import arrow_column
from sightline.scoring.dialects import Source
from sightline.scoring.groups import Piece
from sightline.scoring.steps import scored_by_step

TOKENS = "completion_tokens"


@dataclass(frozen=True)
class Job:
    """What is done to every rollout of a file.

    Args:
        source: the file and what its columns mean.
        reward: the expression.
        tokenizer: path or name of the tokenizer that counts `completion_tokens` where the file does not; empty: none.
        lean: leave the columns of the file out of the result.
    """

    source: Source
    reward: Reward
    tokenizer: str = ""
    lean: bool = False

    @property
    def compares(self) -> bool:
        """Whether the reward looks at whole groups."""
        return any(node.scope == "group" for node in self.reward.walk())


def score_piece(job: Job, piece: Piece) -> pa.Table:
    """The rows of the result for the rollouts of `piece`.

    Raises:
        ColumnError: the reward reads a column that is not there.
        RolloutFileError: a row has no completion.
    """
    columns = piece.columns.values(piece.block, job.source)
    completions = _completions(columns["completion"], piece, job.source.path)
    columns = {**columns, "completion": completions}
    rest = {name: values for name, values in columns.items() if name not in RESERVED}
    batch = Batch(completions, rest, prompts=columns.get("prompt"), group=piece.group)
    extra: dict[str, Sequence[Any]] = {}
    if job.tokenizer and TOKENS not in columns:
        extra[TOKENS] = count_tokens(batch.texts, job.tokenizer)
        batch = Batch(completions, {**rest, **extra}, prompts=columns.get("prompt"), group=piece.group)
    found = scored_by_step(job.reward, batch, columns)
    given = {} if job.lean else {**_given(piece, columns), **{name: arrow_column(name, v) for name, v in extra.items()}}
    return _table(piece, found, given)


def count_tokens(texts: Sequence[str], tokenizer: str) -> list[int]:
    """Tokens of every text, without special ones."""
    encoded = _tokenizer(tokenizer)(list(texts), add_special_tokens=False)["input_ids"]
    return [len(ids) for ids in encoded]


@functools.lru_cache(maxsize=1)
def _tokenizer(name: str) -> Any:
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtra.of("counting tokens", "train") from error
    try:
        return AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise ConfigError(f"no tokenizer at `{name}`: {str(error).splitlines()[0]}") from error


def _completions(values: Sequence[Any], piece: Piece, path: Path) -> Sequence[Any]:
    """Completions as `Batch` takes them."""
    for index, value in enumerate(values):
        if type(value) is str:
            continue
        if not isinstance(value, list) or not all(isinstance(turn, dict | Turn) for turn in value):
            kind = "no completion" if value is None else f"a completion of type {type(value).__name__}"
            raise RolloutFileError(
                f"{path}: row {piece.row[index]} has {kind}; it needs a text or a list of chat messages"
            )
    return values


def _given(piece: Piece, columns: dict[str, Sequence[Any]]) -> dict[str, tuple[pa.Field, pa.Array]]:
    """The columns of the file, under the names that the reward saw; media paths as they stand in the file."""
    places = dict(piece.columns.found)
    found = {}
    for name in piece.columns.shown:
        place = places.get(name)
        if place in piece.columns.names and place is not None:
            found[name] = piece.block.arrow(place)
        else:
            found[name] = arrow_column(name, columns[name])
    return found


def _table(piece: Piece, found: dict[str, pa.Array], given: dict[str, tuple[pa.Field, pa.Array]]) -> pa.Table:
    results = {"row": pa.array(piece.row), "group": pa.array(np.asarray(piece.group)), **found}
    if piece.element is not None:
        results["element"] = pa.array(piece.element)
    fields = [pa.field(name, array.type) for name, array in results.items()]
    arrays: list[Any] = list(results.values())
    for name, (field, array) in given.items():
        if name == "element" and piece.element is not None:
            continue
        kept = f"given_{name}" if name in results else name
        fields.append(field.with_name(kept))
        arrays.append(array)
    return pa.table(arrays, schema=pa.schema(fields))
