from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.curate.finding_traces import TraceWriter, compatible, findings_seen, relevant, trace_flaw
from sightline.curate.retrieval import Passages
from sightline.judges import Question, ScriptedJudge, Verdict
from sightline.rewards.knowledge import retina
from sightline.systems.fundus_r1 import SYSTEM

EYE = retina()
GOOD = "Observation: an enlarged cup.\nInterpretation: a\nExclusion: no drusen.\nConclusion: glaucoma."


def row(label: str, *seen: str, kind: str = "CFP") -> dict[str, object]:
    return {"answer": label, "modality": kind, "findings_seen": list(seen)}


def test_every_entry_gets_a_trace_that_its_own_reward_pays_in_full() -> None:
    rows = [row(e.label, *e.required, *e.supportive, kind=e.modality) for e in EYE.entries]
    made = list(TraceWriter(EYE)(rows))
    assert {one["trace_error"] for one in made} == {""}
    scores = SYSTEM.reward(Batch.from_rows(made))
    assert scores.values.tolist() == [2.0] * len(made)


def test_nothing_is_invented_where_the_findings_do_not_bear_out_the_label() -> None:
    (done,) = TraceWriter(EYE)([row("glaucoma", "drusen", "rim thinning")])
    assert done["trace"] is None
    assert "requires" in done["trace_error"]
    assert done["completion"] == "<answer>glaucoma</answer>"


def test_findings_that_do_not_fit_are_left_out() -> None:
    entry = EYE.entry("glaucoma", "CFP")
    assert compatible(["drusen", "enlarged cup", "enlarged cup"], entry) == ("enlarged cup",)
    assert compatible(["drusen"], EYE.entry("normal", "CFP")) == ()


@pytest.mark.parametrize(
    ("trace", "flaw"),
    [
        (GOOD, ""),
        (GOOD.replace("no drusen", "drusen"), "not seen: drusen"),
        (GOOD.replace("an enlarged", "glaucoma with an enlarged"), "names the label"),
        (GOOD.replace("an enlarged", "glaucomatous optic neuropathy with an enlarged"), "names the label"),
        (GOOD.replace("Interpretation:", ""), "headings"),
        ("Conclusion: a Observation: b Interpretation: c Exclusion: d", "headings"),
        ("", "headings"),
    ],
)
def test_flaws_of_traces(trace, flaw) -> None:
    found = trace_flaw(trace, ["enlarged cup"], "glaucoma", EYE)
    assert flaw in found
    assert bool(found) is bool(flaw)


def test_what_a_model_writes_is_filtered() -> None:
    rows = [row("glaucoma", "enlarged cup", "rim thinning")] * 3 + [row("PDR", "neovascularization")]
    judge = ScriptedJudge((GOOD, Verdict(error="busy")))
    done = list(TraceWriter(EYE, writer=judge)(rows))
    assert [one["trace"] for one in done] == [GOOD, GOOD, GOOD, None]
    assert done[3]["trace_error"] == "busy"


@dataclass(frozen=True)
class Sees:
    """Sees what its name says, and mumbles about drusen."""

    id: str = "enlarged cup"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        names = [question.field("finding") for question in questions]
        return [Verdict("Yes." if n == self.id else "perhaps" if n == "drusen" else "unsure") for n in names]


def test_only_a_clear_yes_is_seen() -> None:
    (found,) = findings_seen([{"images": [], "modality": "CFP"}], EYE, Sees())
    assert found.seen == ("enlarged cup",)
    assert list(found.unread) == ["drusen"]


def test_only_findings_of_the_kind_of_picture_are_asked() -> None:
    names = {finding.name for finding in relevant(EYE, "OCT")}
    assert "intraretinal fluid" in names
    assert "bone spicule pigment" not in names


def test_alternatives_are_near_and_not_borne_out() -> None:
    entry = EYE.entry("NPDR", "CFP")
    others = TraceWriter(EYE, alternatives=9).others(entry, ["microaneurysm", "hemorrhage"])
    assert others
    assert all(not set(one.required) <= {"microaneurysm", "hemorrhage"} for one in others)
    assert all(one.modality == "CFP" and one != entry for one in others)


def test_rows_that_cannot_be_read_are_named() -> None:
    with pytest.raises(ColumnError, match="findings_seen"):
        list(TraceWriter(EYE)([{"answer": "glaucoma", "modality": "CFP"}]))
    with pytest.raises(ColumnError, match="measles"):
        list(TraceWriter(EYE)([row("measles")]))


def test_passages_rank_as_the_formula_says() -> None:
    from math import log

    texts = ("cup cup rim", "cup vein", "vein vein vein blood")
    (first, second) = Passages(texts).nearest("cup", 5)
    idf, mean = log(1 + (3 - 2 + 0.5) / (2 + 0.5)), 3.0

    def bm25(times: int, length: int) -> float:
        return idf * times / (times + 1.5 * (1 - 0.75 + 0.75 * length / mean))

    # the package leaves out the constant factor k1 + 1, which changes no order
    assert [first.number, second.number] == [0, 1]
    assert first.score == pytest.approx(bm25(2, 3), rel=1e-5)
    assert second.score == pytest.approx(bm25(1, 2), rel=1e-5)


def test_nothing_in_common_is_nothing_found() -> None:
    books = Passages(("drusen", "the cup"))
    assert books.nearest("the of") == []
    assert books.nearest("fluid") == []
    with pytest.raises(ConfigError):
        Passages(("the", "?")).nearest("cup")
