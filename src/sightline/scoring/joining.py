"""Columns that a dump lacks, pictures above all, from the data it was made of, found by an id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sightline.core.errors import ColumnError
from sightline.media.located import MEDIA, located
from sightline.scoring.blocks import Block, JsonBlock
from sightline.scoring.nested import request_columns
from sightline.scoring.readers import read_blocks, rollout_files


@dataclass(frozen=True)
class Join:
    """A file of data and the id that a dump and the data share.

    Args:
        path: JSON lines, JSON or Parquet; it is held in memory. The input file of an OpenAI batch counts as data too.
        dump: the column of the dump with the id.
        data: the column of the data with the id.
    """

    path: Path
    dump: str
    data: str

    def added(self, block: Block) -> JsonBlock:
        """The rows of a block with the columns of the data that they lack.

        Raises:
            ColumnError: the dump has no such column, or an id that the data lack.
        """
        if self.dump not in block.names:
            raise ColumnError(f"--on {self.dump}: the dump has {sorted(block.names)}")
        known = data_rows(self.path, self.data)
        found = []
        for row in block.rows():
            name = _id(row.get(self.dump))
            if name not in known:
                raise ColumnError(f"{self.path}: no row has {self.data} = {name!r}, which the dump names")
            found.append({**known[name], **{key: value for key, value in row.items() if value is not None}})
        return JsonBlock(found)


def _id(value: Any) -> str:
    """An id as a text; a table with a gap makes 7 to 7.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@lru_cache(maxsize=1)
def data_rows(path: Path, name: str) -> Mapping[str, Mapping[str, Any]]:
    """Rows of a data file by id, pictures by paths that stand on their own.

    Raises:
        ColumnError: the column is missing, or two rows have one id.
    """
    folder = str((path if path.is_dir() else path.parent).absolute())
    found: dict[str, Mapping[str, Any]] = {}
    for row in (row for file in rollout_files(path) for block in read_blocks(file) for row in block.rows()):
        row = request_columns(row)
        if name not in row:
            raise ColumnError(f"{path}: no column `{name}`; there are {sorted(row)}")
        if _id(row[name]) in found:
            raise ColumnError(f"{path}: two rows have {name} = {row[name]!r}")
        found[_id(row[name])] = {
            key: located(value, folder) if key in MEDIA else value for key, value in row.items() if key != "completion"
        }
    return MappingProxyType(found)
