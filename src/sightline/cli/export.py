"""`sightline export`: the file and the configuration that make another trainer use a system's reward."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sightline.cli import names
from sightline.core.errors import MissingExtra

if TYPE_CHECKING:
    from sightline.rewards.reward import Reward

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
    from sightline.adapters.export import Wanted, caveats, suited
    from sightline.adapters.export import export as write

    changes = names.listed(plus or ()), names.listed(minus or ())
    reward = record.load(system).variant(variant, *changes)
    suited(target, reward)
    asked = (names.standing(judge), judge_cache and str(Path(judge_cache).absolute()), judge_key) if judge else ()
    if judge:
        names.judge_named(*asked)  # says what is wrong with it now
    file, pictures = ("", 0) if data is None else _written(target, data, out)
    if data is not None and (fault := _fault(reward, data)):
        typer.echo(f"note: the trainer will stop at these data: {fault}", err=True)
    wanted = Wanted(system, variant, *changes, asked, group_size, data=file, pictures=pictures)
    for path in [*write(target, wanted, reward, out), *([file] if file else [])]:
        typer.echo(f"wrote {path}")
    for caveat in caveats(target, reward):
        typer.echo(f"note: {caveat}", err=True)
    if not judge:
        names.tell_default_judge(reward)


def _written(target: str, data: Path, out: Path) -> tuple[str, int]:
    """The rows of the data for a trainer, Parquet where it wants bytes: (path, most pictures of one)."""
    from sightline.adapters import verl_data
    from sightline.adapters.rows import storable

    out.mkdir(parents=True, exist_ok=True)
    path = (out / ("data.parquet" if target in ("trl", "verl", "easyr1") else "data.jsonl")).absolute()
    pictures = 0
    rows = storable(target, _rows(target, data))
    if target == "trl":
        _data_set(list(rows), path)
    elif target == "verl":
        verl_data.store(rows, path)
    elif path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    else:
        draft = path.with_name(f".{path.name}.draft")
        with draft.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(_json(row) + "\n")
                pictures = max(pictures, len(row.get("images") or ()))
        draft.replace(path)  # a row that fails leaves no half of a file
    return str(path), pictures


def _fault(reward: Reward, data: Path) -> str:
    from sightline.adapters.outcomes import unsuited
    from sightline.scoring.readers import read_blocks, rollout_files

    block = next(read_blocks(rollout_files(data)[0]), None)
    return "" if block is None else unsuited(reward, block.rows()[:1000])


def _json(row: dict[str, Any]) -> str:
    from sightline.adapters.packed import plain
    from sightline.core.errors import ColumnError

    try:
        return json.dumps({name: plain(value, name) for name, value in row.items()})
    except TypeError as error:
        raise ColumnError(f"the data hold a value that JSON cannot hold ({error})") from error


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

    files = rollout_files(data)
    # every row has every column: trainers that bring one row at a time would lack what another trainer fills with None
    names = dict.fromkeys(name for file in files for block in read_blocks(file) for name in block.names)
    number = 0
    for file in files:
        for block in read_blocks(file):
            for row in block.rows():
                yield row_for(target, {**names, **row}, number, file.parent)
                number += 1
