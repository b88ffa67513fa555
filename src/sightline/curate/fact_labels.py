"""Labels for classifiers of phrases: a language model takes each phrase apart, a model that sees checks every fact.

A row comes out as `image`, `sub` (phrases in order) and `labels` (for every phrase -1, 0 or 1 of objects, attributes
and relations: no fact, all right, some wrong). Knows judges only by what they can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sightline.core.errors import ColumnError, ConfigError
from sightline.core.missing import Missing
from sightline.judges import Generates, Judge, Question, Verdict, ask, prompt
from sightline.metrics.fact_classes import alignment_fault, fact_class
from sightline.parse.fact_list import FactList, says_yes
from sightline.parse.phrases import Phrases
from sightline.parse.tags import Span

Row = Mapping[str, Any]
Facts = tuple[tuple[str, ...], ...]


class Check(Protocol):
    """How facts are checked: questions to a judge, and what its verdict means; None where it failed."""

    def __call__(self, judge: Judge, facts: Sequence[tuple[str, Any]]) -> list[bool | None]: ...


@dataclass(frozen=True)
class SaidYes:
    """A fact holds if every one of the phrasings of the question is answered with something that holds `yes`.

    Args:
        templates: prompts with a place `fact`; two phrasings tell a judge that likes to say yes from one that sees.

    Example:
        >>> from sightline.judges import ScriptedJudge
        >>> SaidYes()(ScriptedJudge(("Yes.", "unsure")), [("There is a dog.", None), ("It is red.", None)])
        [True, False]
    """

    templates: tuple[str, ...] = (prompt("fact_check").text,)

    def __call__(self, judge: Judge, facts: Sequence[tuple[str, Any]]) -> list[bool | None]:
        asked = [_question(template, fact, image) for fact, image in facts for template in self.templates]
        said = ask(judge, "generate", asked)
        size = len(self.templates)
        return [_all_yes(said[i * size : (i + 1) * size]) for i in range(len(facts))]


@dataclass(frozen=True)
class ProbablyYes:
    """A fact holds if p(yes) exceeds a threshold, for judges that like to say yes.

    Args:
        above: the threshold.
        template: the prompt, with a place `fact`.

    Example:
        >>> from sightline.judges import ScriptedJudge
        >>> ProbablyYes(0.7)(ScriptedJudge((), {"choose": ((0.8, 0.2), (0.6, 0.4))}), [("A", None), ("B", None)])
        [True, False]
    """

    above: float = 0.5
    template: str = prompt("fact_check").text

    def __call__(self, judge: Judge, facts: Sequence[tuple[str, Any]]) -> list[bool | None]:
        asked = [_question(self.template, fact, image, ("yes", "no")) for fact, image in facts]
        verdicts = ask(judge, "choose", asked)
        return [None if said.value is None else bool(said.value[0] > self.above) for said in verdicts]


def _question(template: str, fact: str, image: Any, options: tuple[str, ...] = ()) -> Question:
    return Question(template, (("fact", fact),), ("fact",), () if image is None else (image,), options)


def _all_yes(said: Sequence[Verdict[Any]]) -> bool | None:
    if any(verdict.value is None for verdict in said):
        return None
    return all(says_yes(str(verdict.value)) for verdict in said)


@dataclass(frozen=True)
class FactLabels:
    """Labels descriptions phrase by phrase.

    label = -1 if a phrase states no fact of the kind, 0 if all of them hold, 1 if some does not

    Args:
        writer: takes a phrase apart into facts; sees no picture.
        checker: sees the picture.
        check: what the checker is asked, and when a fact holds.
        phrases: text -> phrases.
        facts: reply of the writer -> facts of objects, attributes and relations.
        template: the writer's prompt, with a place `phrase`.
        separator: what stands behind every phrase when a classifier is trained; a phrase that holds it spoils its row.

    Reads: `image`, `text`. A row that cannot be labelled has `labels` None and the reason in `labels_error`.

    Raises:
        ColumnError: a row lacks a column.

    Example:
        >>> from sightline.judges import ScriptedJudge
        >>> write = ScriptedJudge(("Objects:\\n- There is a dog.\\nAttributes:\\n- The dog is red.",))
        >>> label = FactLabels(write, ScriptedJudge(("Yes", "No")))
        >>> [(row["sub"], row["labels"]) for row in label([{"image": None, "text": "A red dog."}])]
        [(['A red dog.'], [[0, 1, -1]])]

    References:
        FGAIF, arXiv 2404.05046, AI feedback collection. FaithScore, arXiv 2311.01477 (atomic facts).
    """

    writer: Generates
    checker: Judge
    check: Check = SaidYes()
    phrases: Callable[[str], Sequence[Span]] = Phrases()
    facts: Callable[[str], Facts | Missing] = FactList()
    template: str = prompt("atomic_facts").text
    separator: str = "</s>"

    def __call__(self, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
        """The rows with `sub`, `facts`, `labels` and `labels_error`; equal phrases and facts are asked about once."""
        for number, row in enumerate(rows):
            for name in ("image", "text"):
                if name not in row:
                    raise ColumnError(f"FactLabels reads column `{name}`; row {number} has {sorted(row)}")
        subs = [[phrase.text for phrase in self.phrases(row["text"])] for row in rows]
        asked = [Question(self.template, (("phrase", sub),), ("phrase",)) for own in subs for sub in own]
        said = iter(ask(self.writer, "generate", asked))
        parted = [[self._facts(next(said)) for _ in own] for own in subs]
        pairs = [(fact, row["image"]) for row, own in zip(rows, parted, strict=True) for fact in _flat(own)]
        held = iter(self.check(self.checker, pairs))
        for row, sub, own in zip(rows, subs, parted, strict=True):
            known = [[[next(held) for _ in kind] for kind in one] for one in own if not isinstance(one, Missing)]
            yield {**row, "sub": sub, **self._labelled(sub, own, known)}

    def _facts(self, verdict: Verdict[str]) -> Facts | Missing:
        if verdict.value is None:
            return Missing(f"the writer failed: {verdict.error}")
        found = self.facts(verdict.value)
        return Missing(f"{found.why}: {verdict.value!r:.80}") if isinstance(found, Missing) else found

    def _labelled(
        self, sub: Sequence[str], own: Sequence[Facts | Missing], held: Sequence[Sequence[Sequence[bool | None]]]
    ) -> dict[str, Any]:
        unread = next((one.why for one in own if isinstance(one, Missing)), "")
        failed = any(fact is None for phrase in held for kind in phrase for fact in kind)
        fault = unread or ("the checker failed on a fact" if failed else "")
        labels = None if fault else [[fact_class(map(bool, kind)) - 1 for kind in phrase] for phrase in held]
        fault = fault or alignment_fault(sub, labels or [], self.separator)
        facts = [None if isinstance(one, Missing) else one for one in own]
        return {"facts": facts, "labels": None if fault else labels, "labels_error": fault}


def _flat(own: Sequence[Facts | Missing]) -> list[str]:
    return [fact for one in own if not isinstance(one, Missing) for kind in one for fact in kind]


def classes(row: Row) -> list[tuple[int, int, int]]:
    """The classes 0, 1, 2 of a labelled row's phrases.

    Raises:
        ConfigError: the row is not labelled, or a label is none of -1, 0, 1.

    Example:
        >>> classes({"sub": ["A red dog."], "labels": [[0, 1, -1]]})
        [(1, 2, 0)]
    """
    labels = row.get("labels")
    if labels is None or len(labels) != len(row["sub"]):
        raise ConfigError(f"the row has {len(row['sub'])} phrases and labels {labels!r:.80}; leave such rows out")
    found = [tuple(int(label) + 1 for label in own) for own in labels]
    if any(len(own) != 3 or not set(own) <= {0, 1, 2} for own in found):
        raise ConfigError(f"labels are {labels!r:.80}; each phrase needs three of -1, 0, 1")
    return [(own[0], own[1], own[2]) for own in found]
