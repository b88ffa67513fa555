"""Scored rollouts of a run as Parquet files, one per logging step, that `sightline score` and reports read.

Columns: `step`, `mode` (train, eval), `group` (its own for every step), `prompt`, `completion`, `reward`, one per part,
`advantage` (of per-token advantages the mean), `completion_tokens`, `why`, `why_<part>`, `marks`, `images` (paths
relative to the file), and the columns of the data, `given_<name>` where one is named like a column above. NaN is null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sightline.core.marks import Mark, Marks
from sightline.core.rollout import content_text
from sightline.judges.judge import encodable

if TYPE_CHECKING:
    from sightline.train.trainer import Scored

FRAME = pa.struct([("width", pa.float64()), ("height", pa.float64()), ("kind", pa.string()), ("image", pa.int64())])
MARK = pa.struct(
    [
        ("unit", pa.string()),
        ("place", pa.list_(pa.float64())),
        ("value", pa.float64()),
        ("why", pa.string()),
        ("frame", FRAME),
    ]
)


@dataclass(frozen=True)
class RolloutLog:
    """The folder that scored rollouts go to.

    Args:
        folder: is made when the first rollouts are written.
    """

    folder: Path

    def write(self, mode: str, step: int, scored: Scored, images: Sequence[list[str] | None]) -> Path:
        """Write the rollouts of one step; those of an earlier attempt at this step are replaced.

        Args:
            images: for every rollout the pictures' paths relative to the folder, see `pictures`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{mode}-{step:06d}.parquet"
        draft = path.with_name(f".{path.name}.draft")
        pq.write_table(table(mode, step, scored, images), draft, compression="zstd")
        draft.replace(path)
        return path

    def pictures(self, images: Sequence[Any] | None, rows: int) -> list[list[str] | None]:
        """Store pictures once each, named by their content, and say where."""
        if images is None:
            return [None] * rows
        return [None if row is None else [self._stored(image) for image in row] for row in images]

    def forget_after(self, step: int) -> None:
        """Remove the files of later steps: a resumed run writes them anew."""
        for path in self.folder.glob("*-*.parquet"):
            number = path.stem.rpartition("-")[2]
            if number.isdigit() and int(number) > step:
                path.unlink()

    def _stored(self, image: Any) -> str:
        from sightline.media import images

        name = f"images/{images.content_hash(image)}.png"
        path = self.folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            images.load(image).save(draft, "PNG", compress_level=1)
            draft.replace(path)
        return name


def table(mode: str, step: int, scored: Scored, images: Sequence[list[str] | None]) -> pa.Table:
    """The rollouts of one step as a table."""
    batch, scores, size = scored.batch, scored.scores, len(scored.scores)
    prompts = batch.prompts if batch.prompts is not None else [""] * size
    columns: dict[str, pa.Array] = {
        "step": pa.array(np.full(size, step)),
        "mode": pa.array([mode] * size),
        "group": pa.array([f"{mode}-{step}-{number}" for number in batch.group.tolist()]),
        "prompt": pa.array([encodable(prompt_text(prompt)) for prompt in prompts]),
        "completion": pa.array([encodable(text) for text in batch.texts]),
        "reward": _numbers(scores.values),
        **{name: _numbers(part.values) for name, part in scores.parts.items()},
        "advantage": _numbers(scored.per_rollout()),
        "why": pa.array([encodable(why) for why in scores.why]),
        **{f"why_{name}": pa.array([encodable(w) for w in part.why]) for name, part in scores.parts.items()},
        "marks": _marks(scores.marks),
        "images": pa.array(images, pa.list_(pa.string())),
    }
    kept = {name: values for name, values in batch.columns.items() if name not in ("image", "images")}
    given = {f"given_{name}" if name in columns else name: column(values) for name, values in kept.items()}
    return pa.table({**columns, **given})


def prompt_text(prompt: Any) -> str:
    """The text of a prompt; of messages all turns, separated by newlines.

    Example:
        >>> prompt_text([{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Where?"}]}])
        'Where?'
    """
    if isinstance(prompt, str):
        return prompt
    return "\n".join(content_text(turn.get("content")) for turn in prompt or [])


def column(values: Sequence[Any]) -> pa.Array:
    """A column of the data; values that Arrow has no type for become JSON text."""
    values = list(values)
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError, OverflowError):
        return pa.array([json.dumps(value, default=repr) for value in values])


def _numbers(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(np.asarray(values, np.float64), pa.float64(), from_pandas=True)


def _marks(marks: Marks) -> pa.Array:
    return pa.array([[_mark(mark) for mark in marks[row]] for row in range(len(marks))], pa.list_(MARK))


def _mark(mark: Mark) -> Mapping[str, Any]:
    frame = None if mark.frame is None else asdict(mark.frame)
    place, value = [float(number) for number in mark.place], float(mark.value)
    return {"unit": mark.unit, "place": place, "value": value, "why": encodable(mark.why), "frame": frame}
