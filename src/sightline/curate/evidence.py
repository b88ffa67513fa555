"""Evidence for training rows: a teacher that is told the right answer writes down what can be seen that supports it.

Done once, before training. The module knows teachers only as judges that `generate`; what counts as evidence in a reply
is the business of `items`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sightline.core.errors import ColumnError, ConfigError, MediaError, did_you_mean
from sightline.curate.items import MOST_ITEMS, Options, answer_forms, evidence_items
from sightline.judges import Generates, Prompt, Question, Sampling, VerdictStore, arrivals, prompt
from sightline.media import images, videos

Row = Mapping[str, Any]
EVIDENCE, REASON = "evidence", "evidence_error"
_MEDIA = ("video", "images", "image")


@dataclass(frozen=True)
class EvidenceSource:
    """Where evidence comes from: what the teacher is asked, and what it is told beside the pictures.

    Args:
        name: for configuration files.
        prompt: the teacher's prompt; None: there is no teacher, and no evidence.
        reads: the row's columns that the teacher is told.
    """

    name: str
    prompt: Prompt | None
    reads: tuple[str, ...] = ()


QUESTION_DEPENDENT = EvidenceSource("question_dependent", prompt("evidence_teacher"), ("question", "answer"))
GENERIC_CAPTION = EvidenceSource("generic_caption", prompt("caption_teacher"))
NO_EVIDENCE = EvidenceSource("none", None)
SOURCES: Mapping[str, EvidenceSource] = {s.name: s for s in (QUESTION_DEPENDENT, GENERIC_CAPTION, NO_EVIDENCE)}


@dataclass
class Tally:
    """How a run went: rows written, teacher calls, answers that were known, failures, rows without any evidence."""

    rows: int = 0
    asked: int = 0
    known: int = 0
    failed: int = 0
    empty: int = 0


class _Asked(NamedTuple):
    """What one row asks of the teacher; `error` if its pictures cannot be read."""

    key: str = ""
    error: str = ""


@dataclass(frozen=True)
class EvidenceWriter:
    """Adds the columns `evidence` (list of texts) and `evidence_error` to rows.

    A reply is kept, as soon as it arrives, under (hash of the media, question, answer, teacher, version of the prompt;
    options, number of frames and size too). So a run that is killed goes on where it was, rows that share a picture and
    a question share a call, and failures are tried again by the next run. The teacher is asked greedily.

    Args:
        teacher: a judge that can `generate` from pictures.
        source: `QUESTION_DEPENDENT`, `GENERIC_CAPTION` or `NO_EVIDENCE`.
        cache: the sqlite file that keeps replies.
        frames: of a video, evenly spread.
        longest_side: frames of videos are made smaller to this many pixels; 0: as they are. Pictures are never changed.
        most: items per row.
        max_tokens: of a reply.
        folder: what relative media paths are relative to.
        at_once: rows whose pictures are in memory at once.

    Reads: `question`, `answer`, optionally `options` (texts, or by letter), and one of `video`, `images`, `image`.
    A row that fails (media that cannot be read, a teacher's error) has `evidence` None and the reason in
    `evidence_error`; one whose teacher saw nothing has an empty list.

    Raises:
        ColumnError: a row lacks a column.
        ConfigError: the cache cannot be used; the output is neither .jsonl nor .parquet, or cannot hold the rows.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> from sightline.judges import ScriptedJudge
        >>> row = {"question": "What moves?", "answer": "ball", "image": Image.new("RGB", (8, 8))}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write = EvidenceWriter(ScriptedJudge(('["a red ball rolls", "Ball"]',)), cache=f"{folder}/c.sqlite")
        ...     [done["evidence"] for done in write([row])]
        [['a red ball rolls']]

    References:
        arXiv 2510.06077, inverted prompting. Ours: 16 frames, greedy, the words of the prompt, the filter.
    """

    teacher: Generates
    cache: str
    source: EvidenceSource = QUESTION_DEPENDENT
    frames: int = 16
    longest_side: int = 768
    most: int = MOST_ITEMS
    max_tokens: int = 512
    folder: str = ""
    at_once: int = 32

    def __call__(self, rows: Iterable[Row], tally: Tally | None = None) -> Iterator[dict[str, Any]]:
        """The rows with their evidence, in order, `at_once` at a time."""
        tally = Tally() if tally is None else tally
        waiting = iter(rows)
        while window := list(islice(waiting, self.at_once)):
            for row in window:
                self._check(row)
            for row, found in zip(window, self._window(window, tally), strict=True):
                tally.rows += 1
                tally.failed += bool(found[REASON])
                tally.empty += found[EVIDENCE] == []
                yield {**row, **found}

    def write(self, rows: Iterable[Row], path: str | Path, progress: bool = True) -> Tally:
        """Write the rows with their evidence to a .jsonl or .parquet file, which appears when it is whole.

        Run it again after a kill, or to retry failures: what was answered is not asked again.
        """
        tally = Tally()
        out = Path(path)
        if out.suffix not in (".jsonl", ".parquet"):
            raise ConfigError(f"evidence is written to .jsonl or .parquet, got {out.name!r}")
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_name(f"{out.name}.part")
        done = _shown(self(rows, tally), rows, tally) if progress else self(rows, tally)
        (_write_jsonl if out.suffix == ".jsonl" else _write_parquet)(done, part)
        part.replace(out)
        return tally

    def _check(self, row: Row) -> None:
        for name in self.source.reads:
            if name not in row:
                raise ColumnError(f"evidence reads column `{name}`; a row has {sorted(row)}.{did_you_mean(name, row)}")
        if self.source.prompt is not None and not any(row.get(name) is not None for name in _MEDIA):
            raise ColumnError(f"evidence reads one of the columns {list(_MEDIA)}; a row has {sorted(row)}")

    def _window(self, rows: Sequence[Row], tally: Tally) -> Iterator[dict[str, Any]]:
        if self.source.prompt is None:
            yield from ({EVIDENCE: [], REASON: ""} for _ in rows)
            return
        asked = [self._asked(row, self.source.prompt) for row in rows]
        replies, errors = self._replies(rows, asked, tally)
        for row, (key, error) in zip(rows, asked, strict=True):
            if error or key in errors:
                yield {EVIDENCE: None, REASON: error or errors[key]}
            else:
                answer, options = str(row.get("answer", "")), _options(row)
                yield {EVIDENCE: evidence_items(replies[key], answer, options, self.most), REASON: ""}

    def _asked(self, row: Row, words: Prompt) -> _Asked:
        try:
            shown = self._media_hash(row)
        except MediaError as error:
            return _Asked(error=str(error))
        told = [self._told(row), self.source.name, words.version, self.frames, self.longest_side, self.max_tokens]
        return _Asked(hashlib.blake2b(json.dumps([shown, told]).encode(), digest_size=16).hexdigest())

    def _told(self, row: Row) -> list[tuple[str, str]]:
        """What the teacher reads, as fields of its question; an option's letter comes with its text."""
        values = {name: str(row[name]) for name in self.source.reads}
        if "answer" in values:
            values["answer"] = max(answer_forms(values["answer"], _options(row)), key=len)
        return list(values.items())

    def _replies(
        self, rows: Sequence[Row], asked: Sequence[_Asked], tally: Tally
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Replies and errors by key, from the cache or from the teacher."""
        store, teacher_id = VerdictStore(self.cache), self.teacher.id
        first: dict[str, Row] = {}
        for row, (key, error) in zip(rows, asked, strict=True):
            if not error:
                first.setdefault(key, row)
        replies: dict[str, str] = store.get(teacher_id, "generate", list(first))
        tally.known += len(replies)
        errors: dict[str, str] = {}
        questions: dict[str, Question] = {}
        for key in [key for key in first if key not in replies]:
            try:
                questions[key] = self._question(first[key])
            except MediaError as error:
                errors[key] = str(error)
        keys = list(questions)
        tally.asked += len(keys)
        with store.writer() as keep:
            for number, verdict in arrivals(self.teacher, "generate", list(questions.values())) if keys else ():
                key = keys[number]
                if verdict.error or verdict.value is None:
                    errors[key] = verdict.error or "the teacher gave no answer"
                else:
                    keep(teacher_id, "generate", key, questions[key].text(), verdict.value)
                    replies[key] = verdict.value
        return replies, errors

    def _question(self, row: Row) -> Question:
        words = self.source.prompt
        template = "" if words is None else words.text
        fields = tuple(self._told(row))
        return Question(template, fields, images=self._pictures(row), sampling=Sampling(max_tokens=self.max_tokens))

    def _media_hash(self, row: Row) -> list[str]:
        media = _media(row)[1]
        if not media:
            raise MediaError("the row has an empty list of pictures")
        return [images.content_hash(item, self.folder or None) for item in media]

    def _pictures(self, row: Row) -> tuple[Any, ...]:
        is_video, media = _media(row)
        if not is_video:
            return tuple(images.load(item, self.folder or None) for item in media)
        frames = videos.frames(row["video"], self.frames, self.folder or None)
        if self.longest_side:
            frames = [frame.copy() for frame in frames]
            for frame in frames:
                frame.thumbnail((self.longest_side, self.longest_side))
        return tuple(frames)


def _media(row: Row) -> tuple[bool, list[Any]]:
    """Whether it is a video, and the files or pictures of a row."""
    name = next(name for name in _MEDIA if row.get(name) is not None)
    return name == "video", list(row[name]) if _is_list(row[name]) else [row[name]]


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview))


def _options(row: Row) -> Options:
    options = row.get("options")
    if isinstance(options, Mapping):
        # a column of structs has every letter in every row
        return {str(letter): str(text) for letter, text in options.items() if text is not None}
    return [] if options is None else [str(option) for option in options]


def _shown(done: Iterator[dict[str, Any]], rows: Iterable[Row], tally: Tally) -> Iterator[dict[str, Any]]:
    """The same rows, with a progress bar on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("evidence", total=len(rows) if isinstance(rows, Sized) else None)
        for row in done:
            bar.update(task, advance=1, description=f"evidence ({tally.asked} asked, {tally.failed} failed)")
            yield row


def _write_jsonl(rows: Iterator[dict[str, Any]], path: Path) -> None:
    import orjson

    with path.open("wb") as file:
        for row in rows:
            try:
                file.write(orjson.dumps(row, default=_as_json, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
            except (TypeError, orjson.JSONEncodeError) as error:
                raise ConfigError(f"a row cannot be written as JSON, write .parquet: {error}") from error


def _as_json(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _write_parquet(rows: Iterator[dict[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    done = list(rows)  # the types of a column are known when all of its values are
    texts = {EVIDENCE: pa.list_(pa.string()), REASON: pa.string()}
    names = dict.fromkeys(name for row in done for name in row)
    try:
        columns = {name: pa.array([row.get(name) for row in done], texts.get(name)) for name in {**names, **texts}}
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ConfigError(f"the rows cannot be written as Parquet: {error}") from error
    pq.write_table(pa.table(columns), path)
