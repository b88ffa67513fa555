"""Rows to train on: JSON lines, Parquet, saved `datasets`, or rows in memory, as a `datasets.Dataset` that TRL takes.

Values arrive in rewards as they were written: dictionaries and mixed columns travel as JSON, since Arrow would fill
in keys that a row never had. Pictures become `Image` features and are opened when they are needed; that the files
exist is checked at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError, MediaError, MissingExtra, RolloutFileError, did_you_mean
from sightline.rewards.reward import Reward
from sightline.train.mixture import mixed, parts_of
from sightline.train.wishes import filled

if TYPE_CHECKING:
    from datasets import Dataset

    from sightline.train.config import Part

Source: TypeAlias = "str | Path | Part | Sequence[str | Path | Part] | Dataset | Sequence[Mapping[str, Any]]"
NEEDED = {"grpo": ("prompt",), "sft": ("prompt", "completion")}
CHECKED_ROWS = 2000


def load(
    source: Source, method: str = "grpo", constants: Mapping[str, Any] | None = None, pictures: str | None = None
) -> Dataset:
    """The rows of a stage.

    Args:
        source: a file of JSON lines or Parquet, a folder saved by `datasets`, several of these (see `mixture`), a
            dataset, or rows.
        method: `grpo` rows need `prompt`, `sft` rows `prompt` and `completion` (or `messages`, or `text`).
        constants: columns that are the same in every row.
        pictures: the folder that relative paths of pictures are looked up in, if not that of the file.

    `images` holds a list per row, `image` one picture: paths (relative ones are looked up beside the file), bytes,
    Pillow images or what an `Image` feature stores.

    Raises:
        RolloutFileError: the file is truncated or not what its name says.
        ColumnError: a column that every stage of this method needs is missing.
        MediaError: a picture's file does not exist.
        ConfigError: a constant is a column of the data already; there are no rows.
        MissingExtra: `datasets` is not installed.

    Example:
        >>> rows = load([{"prompt": "Where?", "boxes": []}], constants={"task": "rec"})
        >>> rows[0]
        {'prompt': 'Where?', 'boxes': [], 'task': 'rec'}
    """
    try:
        from datasets import Dataset
    except ImportError as error:
        raise MissingExtra.of("data for training", "train") from error

    folder = Path(pictures or "")
    if isinstance(source, Dataset):
        dataset, what = source, "the dataset"
    elif isinstance(source, str | Path):
        folder = Path(source).parent if pictures is None else folder
        dataset, what = _opened(Path(source), folder), str(source)
    elif (parts := parts_of(source)) is not None:
        dataset, what = mixed(parts, method), "the mixture"
    else:
        dataset, what = _from_rows([*source], folder), "the rows"
    if not len(dataset):
        raise ConfigError(f"{what}: there are no rows")
    _check_columns(dataset.column_names, method, what)
    return _with_constants(_with_pictures(dataset, folder), constants or {}, what)


def check(reward: Reward, dataset: Dataset) -> None:
    """Check that a reward finds in the data what it reads, before a model is loaded.

    Up to 2,000 rows are looked at.

    Raises:
        ColumnError: a column is missing or holds a value that the reward cannot use.
    """
    size = min(len(dataset), CHECKED_ROWS)
    rows = dataset.select(range(size)) if size < len(dataset) else dataset
    columns: dict[str, Sequence[Any]] = {name: rows[name] for name in rows.column_names if name != "prompt"}
    if "image" in columns and "images" not in columns:
        columns["images"] = [[None]] * size
    columns["completion_tokens"] = [0] * size
    columns.update({name: [None] * size for name in filled(reward) if name not in columns})
    reward.check(Batch([""] * size, columns))


def picked(dataset: Dataset, wanted: Mapping[str, Sequence[Any]]) -> Dataset:
    """The rows that a stage takes: those whose columns all have one of the wanted values, in the given order.

    Args:
        wanted: column -> values.

    Raises:
        ColumnError: there is no such column.

    Example:
        >>> rows = load([{"prompt": "Is it?", "type": "TorF1"}, {"prompt": "How?", "type": "planning"}])
        >>> picked(rows, {"type": ["planning"]})["prompt"][:]
        ['How?']
    """
    keep = list(range(len(dataset)))
    for column, values in wanted.items():
        if column not in dataset.column_names:
            close = did_you_mean(column, dataset.column_names)
            raise ColumnError(f"a stage takes its rows by column `{column}`; there are {dataset.column_names}.{close}")
        found = dataset[column][:]
        keep = [row for row in keep if found[row] in values]
    return dataset if len(keep) == len(dataset) else dataset.select(keep)


def asked(
    dataset: Dataset, system_prompt: str | None = None, template: str | None = None, chat: bool = True
) -> Dataset:
    """The same rows with their prompts as a model is asked.

    Args:
        system_prompt: a turn before every prompt.
        template: text around every prompt's text; `{prompt}` stands for it. Messages: around the last user turn.
        chat: plain prompts become messages (a user turn, and an assistant turn for a `completion`); pictures need it.
    """
    from datasets import Json

    if "prompt" not in dataset.column_names:
        return dataset
    prompts = [_asked(_clean(prompt), system_prompt, template, chat) for prompt in dataset["prompt"]]
    dataset = with_column(dataset, "prompt", prompts, Json())
    if chat and "completion" in dataset.column_names:
        said = [_turns(_clean(completion), "assistant") for completion in dataset["completion"]]
        dataset = with_column(dataset, "completion", said, Json())
    return dataset


def sides(
    rows: Sequence[Mapping[str, Any]], made: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """Every row once for each side, as neighbours, for groups that hold several kinds of rollouts.

    Args:
        made: side -> (row -> the columns that this side has instead, its `prompt` among them). Columns that only one
            side has are None on the others.

    Example:
        >>> rows = [{"prompt": "Why?", "probe": "How many?"}]
        >>> two = {"reason": lambda row: {}, "checklist": lambda row: {"prompt": row["probe"]}}
        >>> [(row["side"], row["prompt"]) for row in sides(rows, two)]
        [('reason', 'Why?'), ('checklist', 'How many?')]
    """
    both = [{**row, **change(row), "side": side} for row in rows for side, change in made.items()]
    names = dict.fromkeys(name for row in both for name in row)
    return [{name: row.get(name) for name in names} for row in both]


def _asked(prompt: Any, system_prompt: str | None, template: str | None, chat: bool) -> Any:
    if not chat and isinstance(prompt, str):
        text = prompt if template is None else template.replace("{prompt}", prompt)
        return text if system_prompt is None else f"{system_prompt}\n{text}"
    turns = _turns(prompt, "user")
    if template is not None:
        turns = [*turns[:-1], _templated(turns[-1], template)]
    return turns if system_prompt is None else [{"role": "system", "content": system_prompt}, *turns]


def _templated(turn: dict[str, Any], template: str) -> dict[str, Any]:
    if isinstance(turn["content"], str):
        return {**turn, "content": template.replace("{prompt}", turn["content"])}
    parts = [
        {**part, "text": template.replace("{prompt}", part["text"])} if part.get("type") == "text" else part
        for part in turn["content"]
    ]
    return {**turn, "content": parts}


def _turns(said: Any, role: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": said}] if isinstance(said, str) else list(said)


def _clean(value: Any) -> Any:
    """Messages without the empty keys that Arrow gives to every part of them."""
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items() if item is not None}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _opened(path: Path, folder: Path) -> Dataset:
    from datasets import Dataset, load_from_disk

    if path.is_dir():
        try:
            found = load_from_disk(str(path))
        except (FileNotFoundError, ValueError) as error:
            raise RolloutFileError(f"{path} is not a folder that `datasets` saved: {error}") from error
        if isinstance(found, Dataset):
            return found
        raise RolloutFileError(f"{path} holds the splits {list(found)}: name one, like {path}/{next(iter(found))}")
    if not path.exists():
        raise RolloutFileError(f"there is no file {path.absolute()}")
    if path.suffix == ".parquet":
        return _from_parquet(path)
    if path.suffix in (".jsonl", ".json", ".ndjson"):
        return _from_rows(_json_rows(path), folder)
    raise RolloutFileError(f"{path}: needs .jsonl, .parquet or a folder that `datasets` saved, got `{path.suffix}`")


def _from_parquet(path: Path) -> Dataset:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import Dataset

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise RolloutFileError(f"{path} is not a whole Parquet file: {error}") from error
    return Dataset(table)


def _json_rows(path: Path) -> list[dict[str, Any]]:
    text = path.read_text()
    try:
        if text.lstrip().startswith("["):
            listed: list[dict[str, Any]] = json.loads(text)
            return listed
    except ValueError as error:
        raise RolloutFileError(f"{path} is not JSON: {error}") from error
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            rows += [json.loads(line)] if line.strip() else []
        except ValueError as error:
            raise RolloutFileError(f"{path}, line {number} is not JSON: {error}") from error
    return rows


def _from_rows(rows: list[Any], folder: Path) -> Dataset:
    """A dataset from dictionaries; a column that only some rows have is None in the others."""
    from datasets import Dataset, Features, Image, Json, List

    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise RolloutFileError(f"row {number} is {type(row).__name__}, not a mapping of columns")
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    features: dict[str, Any] = {}
    for name, values in columns.items():
        if name == "images":
            columns[name] = [[] if v is None else [_placed(i, folder) for i in _listed(v)] for v in values]
            features[name] = List(Image(mode="RGB"))
        elif name == "image":
            columns[name] = [None if v is None else _placed(v, folder) for v in values]
            features[name] = Image(mode="RGB")
        else:
            inferred = _arrow_type(values)
            features[name] = Json() if inferred is None else inferred
            _check_json(name, values, inferred is None)
    return Dataset.from_dict(columns, features=Features(features))


def _arrow_type(values: Sequence[Any]) -> Any:
    """The feature of a column that Arrow holds without changing it, else None."""
    import pyarrow as pa
    from datasets.features.features import generate_from_arrow_type

    if _has_mapping(values):
        return None
    try:
        inferred = pa.array(values).type
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return None
    return None if pa.types.is_null(inferred) else generate_from_arrow_type(inferred)


def _has_mapping(value: Any) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list | tuple) and any(_has_mapping(item) for item in value)


def _check_json(name: str, values: Sequence[Any], as_json: bool) -> None:
    if not as_json:
        return
    for row, value in enumerate(values):
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise ColumnError(f"column `{name}` of row {row}: {error}; pictures go into `images`") from error


def _with_pictures(dataset: Dataset, folder: Path) -> Dataset:
    """Columns `images` and `image` as pictures, whatever they were stored as, after a check that their files exist."""
    from datasets import Image, List

    for name, feature in (("images", List(Image(mode="RGB"))), ("image", Image(mode="RGB"))):
        if name in dataset.column_names:
            dataset = _as_pictures(dataset, name, feature, folder)
    return dataset


def _as_pictures(dataset: Dataset, name: str, feature: Any, folder: Path) -> Dataset:
    from datasets import Image, List

    now = dataset.features[name]
    inner = now.feature if isinstance(now, List) else now
    if getattr(inner, "dtype", "") == "string":  # paths: those of a file lie beside it
        given = dataset[name]
        placed = [
            _placed(value, folder) if name == "image" else [_placed(path, folder) for path in _listed(value or [])]
            for value in given
        ]
        return with_column(dataset, name, placed, feature)
    elif isinstance(inner, Image):
        _check_stored(dataset, name)
    return dataset.cast_column(name, feature)


def _check_stored(dataset: Dataset, name: str) -> None:
    """Look for the files that a column of pictures names, without reading the pictures it holds itself."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for table in dataset.select_columns([name]).with_format("arrow").iter(batch_size=1000):
        for chunk in table.column(name).chunks:
            pictures = chunk.flatten() if isinstance(chunk, pa.ListArray) else chunk
            elsewhere = pc.is_null(pc.struct_field(pictures, "bytes"))
            for path in pc.struct_field(pictures, "path").filter(elsewhere).to_pylist():
                if path is not None and not Path(path).exists():
                    raise MediaError(f"column `{name}`: there is no file {path}")


def _placed(picture: Any, folder: Path) -> Any:
    """A picture with its path made absolute."""
    if isinstance(picture, Mapping) and picture.get("bytes") is None and picture.get("path"):
        picture = picture["path"]
    if not isinstance(picture, str | Path):
        return picture
    path = Path(picture.removeprefix("file://")) if isinstance(picture, str) else picture
    path = path if path.is_absolute() else folder / path
    if not path.exists():
        raise MediaError(f"there is no picture {path.absolute()}, named in the data as `{picture}`")
    return str(path.absolute())


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _check_columns(names: Sequence[str], method: str, what: str) -> None:
    if method == "sft" and ({"messages"} & set(names) or {"text"} & set(names)):
        return
    for name in NEEDED[method]:
        if name not in names:
            close = did_you_mean(name, names)
            raise ColumnError(f"{what}: {method} needs column `{name}`; there are {list(names)}.{close}")


def _with_constants(dataset: Dataset, constants: Mapping[str, Any], what: str) -> Dataset:
    from datasets import Json

    for name, value in constants.items():
        if name in dataset.column_names:
            raise ConfigError(f"{what}: column `{name}` is in the data already, it cannot be a constant too")
        values = [value] * len(dataset)
        dataset = with_column(dataset, name, values, _arrow_type(values) or Json())
    return dataset


def with_column(dataset: Dataset, name: str, values: Sequence[Any], feature: Any) -> Dataset:
    """The same rows with a column added, or replaced where it stands."""
    from datasets import Dataset, Features, concatenate_datasets

    names = dataset.column_names
    rest = dataset.remove_columns(name) if name in names else dataset
    column = Dataset.from_dict({name: values}, features=Features({name: feature}))
    joined = concatenate_datasets([rest, column], axis=1) if rest.column_names else column
    return joined.select_columns(names if name in names else [*names, name])
