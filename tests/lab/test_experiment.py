"""Experiments: paired judgement, results that survive, pages; and the judges that know the truth."""

from __future__ import annotations

import importlib
import inspect
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sightline.core.errors import UnknownSystem
from sightline.judges import Question
from sightline.lab import experiment as lab
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.oracle import FormJudge, TruthOracle
from sightline.lab.worlds import digits


def measure(arm: str, seed: int) -> dict[str, float]:
    """Stands for a training run."""
    return {"x": {"a": 0.0, "b": 1.0, "c": 0.0}[arm] + 0.01 * seed, "y": (-1.0) ** seed * (arm == "b")}


CLAIMS = (
    Claim("b beats a", "x", "b", "a"),
    Claim("a beats b", "x", "a", "b"),
    Claim("c beats a", "x", "c", "a"),
    Claim("b has less of x than a", "x", "b", "a", more=False),
    Claim("b has more y", "y", "b", "a"),
)
STUDY = Experiment("study", "Which?", "A setting.", {"a": "", "b": "", "c": ""}, {"x": "", "y": ""}, CLAIMS, measure)


def results(seeds: int = 4) -> dict[tuple[str, int], dict[str, float]]:
    return {(arm, seed): measure(arm, seed) for arm in STUDY.arms for seed in range(seeds)}


def test_verdicts_say_what_the_interval_says() -> None:
    verdicts = [found.verdict for found in lab.judge(STUDY, results())]
    assert verdicts == ["supported", "not supported", "not supported", "not supported", "inconclusive"]


def test_one_seed_proves_nothing() -> None:
    assert {found.verdict for found in lab.judge(STUDY, results(1))} == {"inconclusive"}


def test_what_is_measured_is_kept_and_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # arms run in fresh processes, which must be able to import what measures
    (tmp_path / "measured_elsewhere.py").write_text(inspect.getsource(measure))
    monkeypatch.syspath_prepend(tmp_path)
    study = replace(STUDY, measure=importlib.import_module("measured_elsewhere").measure)
    first = {(arm, seed): found for arm, seed, found in lab.conduct(study, [0, 1], tmp_path, processes=1)}
    assert first == results(2)
    kept = sorted((tmp_path / lab.fingerprint(study)).glob("*.json"))
    assert [path.name for path in kept] == ["a.0.json", "a.1.json", "b.0.json", "b.1.json", "c.0.json", "c.1.json"]
    kept[0].write_text(json.dumps({"x": 7.0, "y": 0.0}))
    again = {(arm, seed): found for arm, seed, found in lab.conduct(study, [0, 1], tmp_path)}
    assert again["a", 0]["x"] == 7.0


def test_the_page_names_its_command_and_every_verdict() -> None:
    page = lab.document(STUDY, results(), "sightline lab study")
    assert "`sightline lab study`" in page
    assert "| b | 1.015 ± 0.021 |" in page
    assert page.count("**not supported**") == 3


def test_an_experiment_that_is_not_there() -> None:
    with pytest.raises(UnknownSystem, match=r"has no experiment for `video-vr`\. Did you mean `video-ver`"):
        lab.load("video-vr")


@pytest.mark.parametrize("slug", ["video-ver", "vlm-r1", "visual-rft"])
def test_claims_speak_of_arms_and_figures_that_exist(slug: str) -> None:
    study = lab.load(slug)
    for claim in study.claims:
        assert {claim.treatment, claim.control} <= set(study.arms)
        assert claim.figure in study.figures


def question(evidence: list[str], reasoning: str) -> Question:
    return Question("", (("evidence", evidence), ("reasoning", reasoning)))


def test_the_oracle_errs_as_often_as_asked_and_always_in_the_same_places() -> None:
    rows = digits.PRIOR.rows(300, "neutral", seed=5)
    asked = [question(row["evidence"], row["evidence"][0]) for row in rows]
    exact = [verdict.value for verdict in TruthOracle().generate(asked)]
    assert set(exact) == {"1"}
    wrong = np.array([verdict.value == "0" for verdict in TruthOracle(error=0.2, seed=3).generate(asked)])
    assert 0.13 < wrong.mean() < 0.27
    again = np.array([verdict.value == "0" for verdict in TruthOracle(error=0.2, seed=3).generate(asked[::-1])])
    assert np.array_equal(wrong, again[::-1])


def test_the_form_judge_pays_for_form_only() -> None:
    evidence = ["the red object is a 3 at [1, 2, 9, 12]"]
    told = [question(evidence, "red 5 at [30, 30, 40, 40]"), question(evidence, "red usually 3")]
    assert [verdict.value for verdict in FormJudge().generate(told)] == ["1", "0"]
    assert [verdict.value for verdict in TruthOracle().generate(told)] == ["0", "0"]
