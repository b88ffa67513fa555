"""Judges that repeat what was said before, and the recording of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sightline.core.errors import ConfigError
from sightline.judges.fingerprint import fingerprints
from sightline.judges.judge import Ability, Judge, Question, Verdict
from sightline.judges.store import VerdictStore
from sightline.judges.stream import Arrival, Streamed, arrivals


@dataclass(frozen=True)
class Record:
    """One recorded verdict, and what tells the question it belongs to: `key`, else `text`, else `fields`.

    Args:
        value: the verdict's value.
        error: its error; empty if all went well.
        ability: what was asked.
        key: the question's fingerprint.
        text: the prompt, word for word.
        fields: (name, value) pairs that the question's fields must hold; others do not count.
    """

    value: Any = None
    error: str = ""
    ability: Ability = "generate"
    key: str = ""
    text: str = ""
    fields: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _tuples(self.value))
        object.__setattr__(self, "fields", _tuples(self.fields))


@dataclass(frozen=True)
class ReplayJudge(Streamed):
    """Says again what is recorded for a question; a question without a record is an error.

    A record is found by the question's fingerprint, then by its prompt text, then by the fields that the record names;
    the later of two records of one question counts.

    Args:
        records: what was said.
        name: the judge's id behind `replay:`; None: a hash of the records.

    Example:
        >>> judge = ReplayJudge((Record("1", fields=(("answer", "B"),)), Record("0", text="Is it red?")))
        >>> by_fields, by_text = Question("?", (("answer", "B"), ("n", 2))), Question("Is it red?")
        >>> [verdict.value for verdict in judge.generate([by_fields, by_text])]
        ['1', '0']
        >>> judge.generate([Question("Is it blue?")])[0].error
        "nothing is recorded for generate 'Is it blue?'"
    """

    records: tuple[Record, ...]
    name: str | None = None

    @classmethod
    def from_file(cls, path: str | Path) -> ReplayJudge:
        """Records from a JSONL file (one a line) or a JSON file (a list), with the keys of `Record`.

        `fields` is an object there.

        Raises:
            ConfigError: the file cannot be read, or a record has another key.
        """
        return cls(tuple(_records(Path(path))))

    @property
    def id(self) -> str:
        return f"replay:{_hash(self.records) if self.name is None else self.name}"

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.records)

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        for number, (question, key) in enumerate(zip(questions, fingerprints(ability, questions), strict=True)):
            record = self._index.find(ability, question, key)
            missing: Verdict[Any] = Verdict(error=f"nothing is recorded for {ability} {question.text()[:80]!r}")
            yield number, missing if record is None else Verdict(record.value, record.error)


@dataclass(frozen=True)
class ScriptedJudge(Streamed):
    """Says the first reply to the first question of a call, the second to the second, whatever is asked.

    Every call starts at the top, so the judge stays a value without state. A question past the end is an error.

    Args:
        replies: values; a `Verdict` stands for itself.
        by_ability: ability -> replies, for a judge that is asked in several ways; `replies` serve the others.

    Example:
        >>> ScriptedJudge(("1", Verdict(error="overloaded"))).generate([Question("a"), Question("b"), Question("c")])
        [Verdict(value='1', error=''), Verdict(value=None, error='overloaded'),
         Verdict(value=None, error='the script has 2 replies')]
    """

    replies: tuple[Any, ...]
    by_ability: tuple[tuple[str, tuple[Any, ...]], ...] | Mapping[str, tuple[Any, ...]] = ()

    def __post_init__(self) -> None:
        if isinstance(self.by_ability, Mapping):
            object.__setattr__(self, "by_ability", tuple(self.by_ability.items()))

    @property
    def id(self) -> str:
        return f"scripted:{_hash((*self.replies, *dict(self.by_ability).items()))}"

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        script = dict(self.by_ability).get(ability, self.replies)
        for number in range(len(questions)):
            if number < len(script):
                reply = script[number]
                yield number, reply if isinstance(reply, Verdict) else Verdict(reply)
            else:
                yield number, Verdict(error=f"the script has {len(script)} replies")


@dataclass(frozen=True)
class RecordingJudge(Streamed):
    """A judge whose verdicts, errors too, are added to a JSONL file that `ReplayJudge.from_file` reads.

    Args:
        judge: who is asked.
        path: the file; each verdict is a line, written as it arrives.
    """

    judge: Judge
    path: str

    @property
    def id(self) -> str:
        return self.judge.id

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        keys = fingerprints(ability, questions)
        with Path(self.path).open("a", encoding="utf-8") as file:
            for number, verdict in arrivals(self.judge, ability, questions):
                text = questions[number].text()
                record = Record(verdict.value, verdict.error, ability, keys[number] or "", text)
                file.write(_line(record))
                file.flush()
                yield number, verdict


def export_cache(store: VerdictStore, path: str | Path, judge_id: str | None = None) -> int:
    """Write the verdicts of a cache as records for `ReplayJudge`; returns how many.

    Args:
        store: `CachedJudge(...).store`, or a `VerdictStore` on its file.
        path: the JSONL file to write.
        judge_id: only this judge's; needed if the cache holds several.

    Raises:
        ConfigError: several judges, and none was named.
    """
    kept = [row for row in store if judge_id in (None, row.judge)]
    judges = sorted({row.judge for row in kept})
    if len(judges) > 1:
        raise ConfigError(f"the cache holds verdicts of {judges}; name one")
    with Path(path).open("w", encoding="utf-8") as file:
        file.writelines(_line(Record(row.value, "", _ability(row.ability), row.key, row.prompt)) for row in kept)
    return len(kept)


class _Index:
    """Records by fingerprint, by text and by the fields they name."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.by_key = {(record.ability, record.key): record for record in records if record.key}
        self.by_text = {(record.ability, record.text): record for record in records if not record.key and record.text}
        self.by_fields: dict[tuple[str, ...], dict[str, Record]] = {}
        for record in records:
            if record.fields and not (record.key or record.text):
                names = tuple(sorted(name for name, _ in record.fields))
                facts = _facts(record.ability, names, dict(record.fields))
                self.by_fields.setdefault(names, {})[facts] = record

    def find(self, ability: Ability, question: Question, key: str | None) -> Record | None:
        if (ability, key) in self.by_key:
            return self.by_key[ability, key or ""]
        if self.by_text and (ability, question.text()) in self.by_text:
            return self.by_text[ability, question.text()]
        fields = dict(question.fields)
        for names, records in self.by_fields.items():
            if all(name in fields for name in names) and (facts := _facts(ability, names, fields)) in records:
                return records[facts]
        return None


def _facts(ability: str, names: Sequence[str], fields: dict[str, Any]) -> str:
    return json.dumps([ability, *(fields[name] for name in names)], default=repr)


def _records(path: Path) -> Iterator[Record]:
    try:
        text = path.read_text("utf-8")
        rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(t) for t in text.splitlines() if t]
    except (OSError, ValueError) as error:
        raise ConfigError(f"the recorded verdicts {path} cannot be read: {error}") from error
    for number, row in enumerate(rows):
        yield _record(row, f"{path}, record {number}")


def _record(row: Any, where: str) -> Record:
    names = list(Record.__dataclass_fields__)
    if not isinstance(row, dict) or not set(row) <= set(names):
        raise ConfigError(f"{where}: needs an object with the keys {names}, got {row!r:.80}")
    fields = tuple(row.get("fields", {}).items())
    return Record(**{**row, "fields": fields, "ability": _ability(row.get("ability"))})


def _ability(name: Any) -> Ability:
    abilities: tuple[Ability, ...] = ("generate", "choose", "loglik", "embed")
    for ability in abilities:
        if name in (ability, None):
            return ability
    raise ConfigError(f"no ability `{name}`")


def _line(record: Record) -> str:
    row = {name: value for name, value in asdict(record).items() if value not in ("", (), None)}
    return json.dumps({**row, **({"fields": dict(record.fields)} if record.fields else {})}) + "\n"


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


def _hash(things: tuple[Any, ...]) -> str:
    return hashlib.blake2b(repr(things).encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
