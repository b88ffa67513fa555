"""Vector files: worked examples and known faults as cases that any implementation must reproduce.

A file is a JSON list of cases, or an object with such a list under `cases`. A case has `what` it shows, its `source`
(official code, paper table, formula, by hand), optionally a `variant` (strict, the default, or official) and `atol`
(1e-6), and one of

    rows     rollouts, as columns or as a list of objects -> `reward`, `parts`, `marks`, each optional
             `plus`: extras to add, `minus`: parts to leave out, `only`: an extra instead of the whole reward
             `step`: the training step, for rewards that follow a schedule
             `verdicts`: replies of the judge in the order in which distinct questions are asked, null for a failure;
             for a judge of several abilities an object of such lists by ability (generate, choose, loglik, embed)
             `records`: replies by what is asked, as `judges.replay.Record` has them (`fields` as an object), for a
             system that asks in several rounds
    credit   {"scores": [..], "group": [..], "parts": {..}, "texts": [..], "columns": {..}, "marks": [[[unit, place,
             value], ..] per rollout]} and of tokens {"mask": [[..]], "logp", "offsets", "spliced", "measured": {name:
             [[..]]}} -> `advantages`; by the system's credit, or by `rule`, a dotted name with `init`
    call     a dotted name with `args` and `kwargs`; a class is made with `init`, then its `method` called -> `expected`

`raises` names the error that is expected instead. NaN is null, and so is a parser's `Missing`.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ConfigError, RolloutFileError
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.credit.credit import Tokens
from sightline.judges.judge import Verdict
from sightline.judges.replay import Record, ReplayJudge, ScriptedJudge
from sightline.system import System

Case = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What became of one case."""

    what: str
    passed: bool
    expected: Any
    got: Any


def read(path: str | Path) -> list[Case]:
    """The cases of a vector file.

    Raises:
        RolloutFileError: it is not JSON, or not a list of cases.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RolloutFileError(f"cannot read vector file {path}: {error}") from error
    cases = found.get("cases") if isinstance(found, dict) else found
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise RolloutFileError(f"{path} is not a list of cases; see the format in sightline.check.vectors")
    return cases


def run(system: System, cases: Sequence[Case]) -> list[Result]:
    """Run every case against a system."""
    return [_run(system, case) for case in cases]


def _run(system: System, case: Case) -> Result:
    what = str(case.get("what", "unnamed case"))
    kinds = [kind for kind in RUNNERS if kind in case]
    if len(kinds) != 1:
        raise ConfigError(f"case `{what}` needs exactly one of {sorted(RUNNERS)}, it has {kinds}")
    wanted = {key: case[key] for key in ("reward", "parts", "marks", "advantages", "expected", "raises") if key in case}
    if not wanted:
        raise ConfigError(
            f"case `{what}` expects nothing: give `reward`, `parts`, `advantages`, `expected` or `raises`"
        )
    try:
        got = RUNNERS[kinds[0]](system, case)
    except Exception as error:  # noqa: BLE001 - the error is the result of the case, shown or expected
        got = {"raises": type(error).__name__}
        if "raises" not in wanted:
            got["message"] = str(error)
    got = {key: value for key, value in got.items() if key in wanted or key in ("raises", "message")}
    return Result(what, _close(wanted, got, float(case.get("atol", 1e-6))), wanted, got)


def _rows(system: System, case: Case) -> dict[str, Any]:
    given = case["rows"]
    if "verdicts" in case:
        system = system.with_judge(_scripted(case["verdicts"]))
    if "records" in case:
        system = system.with_judge(ReplayJudge(tuple(_record(row) for row in case["records"]), "vectors"))
    made = Batch.from_columns if isinstance(given, Mapping) else Batch.from_rows
    batch = made(given, step=case.get("step"))
    variant = case.get("variant", "strict")
    if "only" in case:
        reward = system.extra(case["only"], variant)
    else:
        reward = system.variant(variant, case.get("plus", ()), case.get("minus", ()))
    scores = reward(batch)
    parts = {name: plain(scores.parts[name].values) for name in case.get("parts", {}) if name in scores.parts}
    marks = [[plain(mark) for mark in row] for row in scores.marks]
    return {"reward": plain(scores.values), "parts": parts, "marks": marks}


def _scripted(said: Sequence[Any] | Mapping[str, Sequence[Any]]) -> ScriptedJudge:
    if isinstance(said, Mapping):
        return ScriptedJudge((), {ability: tuple(map(_reply, replies)) for ability, replies in said.items()})
    return ScriptedJudge(tuple(map(_reply, said)))


def _record(row: Mapping[str, Any]) -> Record:
    return Record(**{**row, "fields": tuple(row.get("fields", {}).items())})


def _reply(said: Any) -> Any:
    if isinstance(said, list):  # a vector, or probabilities
        return tuple(said)
    return Verdict(error="no reply in the script") if said is None else said


def _credit(system: System, case: Case) -> dict[str, Any]:
    given = case["credit"]
    rule = _made(case["rule"], case.get("init")) if "rule" in case else system.credit
    values = np.array([np.nan if v is None else v for v in given["scores"]], dtype=np.float64)
    parts = {name: _plain_scores(part) for name, part in given.get("parts", {}).items()}
    scores = _plain_scores(given["scores"])
    texts = given.get("texts", [""] * len(values))
    batch = Batch(texts, given.get("columns"), group=given.get("group", [0] * len(values)))
    marks = [_marks(row) for row in given["marks"]] if "marks" in given else scores.marks
    advantages, _ = rule.assign(Scores(scores.values, scores.why, marks, parts), batch, _tokens(given))
    return {"advantages": plain(advantages)}


def _tokens(given: Mapping[str, Any]) -> Tokens | None:
    if "mask" not in given:
        return None
    return Tokens(
        np.array(given["mask"], dtype=bool),
        np.array(given["logp"], dtype=np.float64) if "logp" in given else None,
        offsets=np.array(given["offsets"], dtype=np.int64) if "offsets" in given else None,
        spliced=np.array(given["spliced"], dtype=bool) if "spliced" in given else None,
        measured={name: np.array(values, dtype=np.float64) for name, values in given.get("measured", {}).items()},
    )


def _marks(row: Sequence[Any]) -> tuple[Mark, ...]:
    return tuple(Mark(unit, tuple(place), float(value)) for unit, place, value in row)


def _call(system: System, case: Case) -> dict[str, Any]:
    target = _made(case["call"], case.get("init"))
    if "method" in case:
        target = getattr(target, case["method"])
    return {"expected": plain(target(*case.get("args", []), **case.get("kwargs", {})))}


RUNNERS = {"rows": _rows, "credit": _credit, "call": _call}


def _plain_scores(given: Sequence[float | None]) -> Scores:
    values = np.array([np.nan if v is None else v for v in given], dtype=np.float64)
    return Scores.of(values, ["abstain: null" if v is None else "" for v in given])


def _made(dotted: str, init: Mapping[str, Any] | None) -> Any:
    """What a dotted name stands for; a class is instantiated if `init` is given."""
    module, _, rest = dotted.partition(":")
    if not rest:
        module, _, rest = dotted.rpartition(".")
    target: Any = importlib.import_module(module)
    for name in rest.split("."):
        target = getattr(target, name)
    return target if init is None else target(**{k: tuple(v) if isinstance(v, list) else v for k, v in init.items()})


def plain(value: Any) -> Any:
    """A result as JSON would hold it: arrays as lists, NaN and Missing as None, records as objects."""
    if isinstance(value, Missing):
        return None
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "_asdict"):
        return {key: plain(item) for key, item in value._asdict().items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {key: plain(item) for key, item in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _close(wanted: Any, got: Any, atol: float) -> bool:
    """Whether everything that was wanted is there, numbers within `atol`; objects may hold more than was asked."""
    if isinstance(wanted, Mapping):
        return isinstance(got, Mapping) and all(k in got and _close(v, got[k], atol) for k, v in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(got, list) and len(wanted) == len(got)
        return same and all(_close(w, g, atol) for w, g in zip(wanted, got, strict=True))
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return bool(abs(wanted - got) <= atol or wanted == got)
    return bool(wanted == got)
