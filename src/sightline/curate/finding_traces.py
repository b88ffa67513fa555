"""Reasoning traces from labels alone: findings that a model sees, linked to the label by a table of knowledge.

    observation (findings seen) -> interpretation -> exclusion of alternatives -> conclusion

A row whose findings do not bear out its label keeps the label and gets no trace: nothing is invented. Traces that state
a finding that was not seen, or name the label before the interpretation, are thrown away. The filter hides what
contradicts the label without making the picture show it: keep an audit sample. For research only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sightline.core.errors import ColumnError, did_you_mean
from sightline.core.missing import Missing
from sightline.curate.retrieval import Passages
from sightline.judges import Generates, OneOf, Question, Sampling, ask, prompt
from sightline.parse.findings import Mentions, asserted
from sightline.parse.tags import Block
from sightline.rewards.knowledge import Entry, Finding, Knowledge

Row = Mapping[str, Any]
WHOLE = Block("think", otherwise="text")
ANSWERS = ("yes", "no", "unsure")
READ = OneOf(ANSWERS)
HEADINGS = ("Observation:", "Interpretation:", "Exclusion:", "Conclusion:")


class Looked(NamedTuple):
    """What a model sees in one picture.

    Args:
        seen: findings it said yes to.
        unread: finding -> why its reply counts as no answer; such a finding is not seen.
    """

    seen: tuple[str, ...]
    unread: Mapping[str, str]


def findings_seen(rows: Sequence[Row], knowledge: Knowledge, eyes: Generates) -> list[Looked]:
    """Ask, per finding that matters in this kind of picture, whether it is visible: yes, no or unsure; yes counts.

    Args:
        rows: with `images` and `modality`.
        eyes: a model that sees.
    """
    words = prompt("finding_seen").text
    asked = [
        [(finding.name, _look(words, row, finding)) for finding in relevant(knowledge, str(row["modality"]))]
        for row in rows
    ]
    verdicts = iter(ask(eyes, "generate", [question for row in asked for _, question in row]))
    return [_looked([(name, next(verdicts)) for name, _ in row]) for row in asked]


def relevant(knowledge: Knowledge, modality: str) -> list[Finding]:
    """Findings that some label of this kind of picture requires or is supported by, in the table's order."""
    named = {
        name
        for entry in knowledge.entries
        if entry.modality.upper() == modality.upper()
        for name in (*entry.required, *entry.supportive)
    }
    return [finding for finding in knowledge.findings if finding.name in named]


def compatible(seen: Iterable[str], entry: Entry) -> tuple[str, ...] | Missing:
    """The seen findings that speak for a label; `Missing` if it requires some and none of those was seen.

    Example:
        >>> entry = Entry("glaucoma", "CFP", ("enlarged cup",), ("rim thinning",))
        >>> compatible(["enlarged cup", "drusen"], entry), compatible(["rim thinning"], entry).why
        (('enlarged cup',), 'no finding that glaucoma requires was seen')
    """
    found = tuple(dict.fromkeys(seen))
    if entry.required and not set(found) & set(entry.required):
        return Missing(f"no finding that {entry.label} requires was seen")
    return tuple(name for name in found if name in (*entry.required, *entry.supportive))


def trace_flaw(trace: str, seen: Iterable[str], label: str, knowledge: Knowledge) -> str:
    """What is wrong with a trace, or an empty text: a heading is missing, a finding was not seen, the label leaks.

    Example:
        >>> from sightline.rewards.knowledge import retina
        >>> text = "Observation: an enlarged cup.\\nInterpretation: nerve loss.\\nExclusion: -\\nConclusion: glaucoma."
        >>> trace_flaw(text, ["enlarged cup"], "glaucoma", retina()), trace_flaw(text, [], "glaucoma", retina())
        ('', 'states findings that were not seen: enlarged cup')
    """
    places = [trace.find(heading) for heading in HEADINGS]
    if -1 in places or places != sorted(places):
        return f"needs the headings {', '.join(HEADINGS)} in this order"
    invented = asserted(Mentions(knowledge.names, where=WHOLE)(trace)) - set(seen)
    if invented:
        return f"states findings that were not seen: {', '.join(sorted(invented))}"
    names = tuple(names for names in knowledge.synonyms if knowledge.label(names[0]) == knowledge.label(label))
    early = Mentions(names or ((label,),), where=WHOLE)(trace[: places[1]])
    return "names the label before the interpretation" if early else ""


@dataclass(frozen=True)
class TraceWriter:
    """Adds `trace`, `trace_error` and `completion` to rows with a label, the findings seen and the kind of picture.

    Other diagnoses to exclude are those whose passages BM25 finds nearest to the findings seen and whose required
    findings were not all seen.

    Args:
        knowledge: the table.
        writer: a language model that writes the prose; None: sentences are put together without one.
        alternatives: how many other diagnoses are weighed.

    Reads: `answer` (one label), `modality`, `findings_seen`. A row without a trace has `trace` None, the reason in
    `trace_error`, and the label alone as `completion`.

    Raises:
        ColumnError: a row lacks a column, or its label is not in the table.

    Example:
        >>> from sightline.rewards.knowledge import retina
        >>> row = {"answer": "PDR", "modality": "CFP", "findings_seen": ["neovascularization", "retinal tear"]}
        >>> (done,) = TraceWriter(retina(), alternatives=1)([row])
        >>> print(done["trace"])
        Observation: The picture shows neovascularization.
        Interpretation: This speaks for proliferative diabetic retinopathy: neovascularization is expected in it.
        Exclusion: Wet age-related macular degeneration is less likely, without hemorrhage.
        Conclusion: proliferative diabetic retinopathy.
    """

    knowledge: Knowledge
    writer: Generates | None = None
    alternatives: int = 2

    def __call__(self, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
        """The rows with their traces, in order."""
        entries = [self._entry(number, row) for number, row in enumerate(rows)]
        found = [compatible(row["findings_seen"], entry) for row, entry in zip(rows, entries, strict=True)]
        traces = self._traces([(e, f) for e, f in zip(entries, found, strict=True) if not isinstance(f, Missing)])
        for row, entry, seen in zip(rows, entries, found, strict=True):
            trace = seen if isinstance(seen, Missing) else next(traces)
            bare = f"<answer>{entry.label}</answer>"
            if isinstance(trace, Missing):
                yield {**row, "trace": None, "trace_error": trace.why, "completion": bare}
            else:
                yield {**row, "trace": trace, "trace_error": "", "completion": f"<think>{trace}</think>{bare}"}

    def others(self, entry: Entry, seen: Sequence[str]) -> list[Entry]:
        """Diagnoses of the same kind of picture that the findings bring to mind but do not bear out."""
        kind = [one for one in self.knowledge.entries if one.modality == entry.modality and one.required]
        query = " ".join(seen) or entry.text
        near = [kind[found.number] for found in self._passages[entry.modality].nearest(query, len(kind))]
        fitting = [one for one in near if one != entry and not set(one.required) <= set(seen)]
        return fitting[: self.alternatives]

    @cached_property
    def _passages(self) -> dict[str, Passages]:
        kinds = dict.fromkeys(entry.modality for entry in self.knowledge.entries)
        return {
            kind: Passages(tuple(_passage(e) for e in self.knowledge.entries if e.modality == kind and e.required))
            for kind in kinds
        }

    def _traces(self, jobs: Sequence[tuple[Entry, tuple[str, ...]]]) -> Iterator[str | Missing]:
        if self.writer is None:
            written: list[str | Missing] = [_sentences(entry, seen, self.others(entry, seen)) for entry, seen in jobs]
        else:
            verdicts = ask(self.writer, "generate", [self._question(entry, seen) for entry, seen in jobs])
            written = [Missing(v.error) if v.value is None else str(v.value).strip() for v in verdicts]
        for (entry, seen), trace in zip(jobs, written, strict=True):
            flaw = "" if isinstance(trace, Missing) else trace_flaw(trace, seen, entry.label, self.knowledge)
            yield Missing(flaw) if flaw else trace

    def _question(self, entry: Entry, seen: tuple[str, ...]) -> Question:
        fields = (
            ("modality", entry.modality),
            ("label", entry.label),
            ("seen", seen or ("none",)),
            ("knowledge", _passage(entry)),
            ("alternatives", tuple(_passage(one) for one in self.others(entry, seen)) or ("none",)),
        )
        return Question(prompt("finding_trace").text, fields, sampling=Sampling(max_tokens=512))

    def _entry(self, number: int, row: Row) -> Entry:
        for name in ("answer", "modality", "findings_seen"):
            if name not in row:
                raise ColumnError(
                    f"traces read column `{name}`; row {number} has {sorted(row)}.{did_you_mean(name, row)}"
                )
        found = self.knowledge.entry(str(row["answer"]), str(row["modality"]))
        if found is None:
            raise ColumnError(
                f"traces: row {number} has the label {row['answer']!r} in {row['modality']!r}, which the table has not"
            )
        return found


def _passage(entry: Entry) -> str:
    names = ", ".join((*entry.required, *entry.supportive)) or "nothing out of the ordinary"
    return f"{entry.label}: {entry.text} Findings: {names}."


def _sentences(entry: Entry, seen: Sequence[str], others: Sequence[Entry]) -> str:
    stated = " and ".join(seen)
    reasons = [_reason(name, entry) for name in seen]
    link = (
        f"This speaks for {entry.label}: {'; '.join(reasons)}."
        if seen
        else f"This is what one expects of {entry.label}."
    )
    denied = [f"{one.label.capitalize()} is less likely, without {_absent(one, seen)}." for one in others]
    return "\n".join(
        (
            f"Observation: The picture shows {stated or 'nothing out of the ordinary'}.",
            f"Interpretation: {link}",
            f"Exclusion: {' '.join(denied) or 'Nothing else comes close.'}",
            f"Conclusion: {entry.label}.",
        )
    )


def _reason(name: str, entry: Entry) -> str:
    return f"{name} is expected in it" if name in entry.required else f"{name} fits it"


def _absent(entry: Entry, seen: Sequence[str]) -> str:
    return next(name for name in entry.required if name not in seen)


def _look(words: str, row: Row, finding: Finding) -> Question:
    told = (("modality", str(row["modality"])), ("finding", finding.name), ("definition", finding.definition))
    return Question(words, told, images=tuple(row.get("images") or ()), sampling=Sampling(max_tokens=8))


def _looked(replies: Sequence[tuple[str, Any]]) -> Looked:
    seen, unread = [], {}
    for name, verdict in replies:
        said = Missing(verdict.error) if verdict.value is None else READ(verdict.value)
        if isinstance(said, Missing):
            unread[name] = said.why
        elif said == "yes":
            seen.append(name)
    return Looked(tuple(seen), unread)
