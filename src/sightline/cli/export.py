"""`sightline export`: the file and the configuration that make another trainer use a system's reward."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sightline.cli import names
from sightline.core.errors import MissingExtra

Words = list[str] | None


def export(
    target: Annotated[str, typer.Argument(help="trl, verl, easyr1, swift, openrlhf, nemo-rl or verifiers.")],
    system: Annotated[str, typer.Option(help="Slug of the system; `sightline systems` lists them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for what is written.")] = Path("."),
    variant: Annotated[str, typer.Option(help="strict or official.")] = "strict",
    plus: Annotated[Words, typer.Option(help="Extras of the system to add.")] = None,
    minus: Annotated[Words, typer.Option(help="Parts of the system to leave out.")] = None,
    group_size: Annotated[int, typer.Option(min=1, help="Rollouts of a prompt.")] = 8,
    judge: Annotated[str, typer.Option(help="Who is asked, in the forms that `sightline score` takes.")] = "",
    judge_cache: Annotated[str, typer.Option(help="sqlite file that keeps verdicts.")] = "",
    judge_key: Annotated[str, typer.Option(help="Environment variable that holds the server's key.")] = "",
    data: Annotated[
        Path | None, typer.Option(help="Rows with prompt, images and the reward's columns, to be written for TARGET.")
    ] = None,
) -> None:
    """Write the reward of a system for another trainer.

    sightline export verl --system vlm-r1 --group-size 8 --data rows.jsonl -o run
    """
    from sightline import system as record
    from sightline.adapters.export import Wanted
    from sightline.adapters.export import export as write

    changes = names.listed(plus or ()), names.listed(minus or ())
    reward = record.load(system).variant(variant, *changes)
    asked = (judge, judge_cache, judge_key) if judge else ()
    if judge:
        names.judge_named(*asked)  # says what is wrong with it now
    written = write(target, Wanted(system, variant, *changes, asked, group_size), reward, out)
    if data is not None:
        written.append(_written(target, data, out))
    for path in written:
        typer.echo(f"wrote {path}")
    if not judge:
        names.tell_default_judge(reward)


def _written(target: str, data: Path, out: Path) -> Path:
    """The rows of the data for a trainer: Parquet where it wants bytes, else JSON lines."""
    rows = _rows(target, data)
    if target == "trl":
        _data_set(list(rows), out / "data.parquet")
        return out / "data.parquet"
    if target in ("verl", "easyr1"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(list(rows)), out / "data.parquet")
        return out / "data.parquet"
    with (out / "data.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
    return out / "data.jsonl"


def _data_set(rows: list[dict[str, Any]], path: Path) -> None:
    """Parquet that `datasets` loads with pictures as pictures, which is what TRL wants."""
    try:
        from datasets import Dataset, Image, List
    except ImportError as error:
        raise MissingExtra.of("data for TRL", "train") from error
    found = Dataset.from_list(rows)
    if any(row["images"] for row in rows):
        found = found.cast_column("images", List(Image()))
    found.to_parquet(str(path))


def _rows(target: str, data: Path) -> Iterator[dict[str, Any]]:
    from sightline.adapters.rows import row_for
    from sightline.scoring.readers import read_blocks, rollout_files

    number = 0
    for file in rollout_files(data):
        for block in read_blocks(file):
            for row in block.rows():
                yield row_for(target, row, number, file.parent)
                number += 1
