"""Which findings speak for which diagnosis in which kind of picture: a table that rewards and data making share.

`retina()` is a small table of the eye's background, in our own words, for research: 16 labels, 34 findings, colour
photographs (CFP), optical coherence tomography (OCT) and ultra-widefield views (UWF). It is no clinical reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from sightline.core.errors import ConfigError, did_you_mean
from sightline.core.missing import Missing
from sightline.parse.findings import Names
from sightline.parse.negation import clauses


@dataclass(frozen=True)
class Finding:
    """Something that can be seen.

    Args:
        name: in the singular.
        synonyms: other spellings.
        definition: what it looks like.
    """

    name: str
    synonyms: tuple[str, ...] = ()
    definition: str = ""


@dataclass(frozen=True)
class Entry:
    """What speaks for a label in one kind of picture.

    Args:
        label, modality: what it is about.
        required: findings that belong to it.
        supportive: findings that fit.
        text: a short explanation.
    """

    label: str
    modality: str
    required: tuple[str, ...] = ()
    supportive: tuple[str, ...] = ()
    text: str = ""


class Needed(NamedTuple):
    """Findings required by some labels, and those that merely fit; the two have nothing in common."""

    required: frozenset[str]
    supportive: frozenset[str]


@dataclass(frozen=True)
class Knowledge:
    """A table of labels, findings and what speaks for what.

    Args:
        findings: the vocabulary.
        entries: one for each label and kind of picture; one without findings is a healthy one.
        synonyms: per label its name and other names for it.

    Raises:
        ConfigError: an entry names a finding that is not in the vocabulary, or stands there twice.

    Example:
        >>> eye = retina()
        >>> sorted(eye.needed(["NPDR"], "CFP").required), eye.needed(["flu"], "CFP").why
        (['hemorrhage', 'microaneurysm'], 'no knowledge of `flu` in CFP')
    """

    findings: tuple[Finding, ...]
    entries: tuple[Entry, ...]
    synonyms: Names = ()

    def __post_init__(self) -> None:
        known = {finding.name for finding in self.findings}
        places = [(plain(entry.label), entry.modality.upper()) for entry in self.entries]
        for entry, place in zip(self.entries, places, strict=True):
            if places.count(place) > 1:
                raise ConfigError(f"Knowledge: `{entry.label}` stands twice under {entry.modality}")
            for name in (*entry.required, *entry.supportive):
                if name not in known:
                    raise ConfigError(
                        f"Knowledge: `{entry.label}` in {entry.modality} names finding `{name}`, which is not in the "
                        f"vocabulary.{did_you_mean(name, known)}"
                    )

    @cached_property
    def names(self) -> Names:
        """The vocabulary: for each finding its name and synonyms."""
        return tuple((finding.name, *finding.synonyms) for finding in self.findings)

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """Kinds of pictures, in capitals."""
        return tuple(dict.fromkeys(entry.modality.upper() for entry in self.entries))

    def label(self, text: str) -> str:
        """The table's name for a label, whatever its case, hyphens or synonym; unknown ones as they read."""
        said = plain(text)
        return self._labels.get(said, said)

    def entry(self, label: str, modality: str) -> Entry | None:
        """The entry of a label in one kind of picture."""
        return self._entries.get((self.label(label), modality.upper()))

    def needed(self, labels: Iterable[str], modality: str | None) -> Needed | Missing:
        """Findings required by any of the labels, and those that fit any of them.

        Args:
            labels: at least one.
            modality: CFP, OCT, UWF, ...; of None, or one that the table does not know, all kinds together count.
        """
        kind = "" if modality is None else modality.strip().upper()
        known = kind in self.modalities
        kinds = (kind,) if known else self.modalities
        required: set[str] = set()
        fitting: set[str] = set()
        for label in labels:
            found = [entry for kind in kinds if (entry := self.entry(label, kind)) is not None]
            if not found:
                return Missing(f"no knowledge of `{label[:60]}`" + (f" in {kinds[0]}" if known else ""))
            required.update(name for entry in found for name in entry.required)
            fitting.update(name for entry in found for name in entry.supportive)
        return Needed(frozenset(required), frozenset(fitting - required))

    @cached_property
    def _labels(self) -> dict[str, str]:
        found = {plain(name): plain(names[0]) for names in self.synonyms for name in names}
        return {**found, **{plain(entry.label): plain(entry.label) for entry in self.entries}}

    @cached_property
    def _entries(self) -> dict[tuple[str, str], Entry]:
        return {(plain(entry.label), entry.modality.upper()): entry for entry in self.entries}


def plain(text: str) -> str:
    """A name without case, hyphens and punctuation.

    Example:
        >>> plain(" Age-related  Macular Degeneration. ")
        'age related macular degeneration'
    """
    return " ".join(word.text for clause in clauses(text) for word in clause)


def knowledge_of(record: Mapping[str, Any]) -> Knowledge:
    """A table from JSON: {"findings": [{name, synonyms, definition}], "labels": [{name, synonyms, "support":
    {modality: {required, supportive, text}}}]}.

    Raises:
        ConfigError: a key is missing, or an entry names an unknown finding.
    """
    try:
        findings = tuple(
            Finding(one["name"], tuple(one.get("synonyms", ())), one.get("definition", ""))
            for one in record["findings"]
        )
        entries = tuple(
            Entry(one["name"], kind, tuple(found["required"]), tuple(found["supportive"]), found.get("text", ""))
            for one in record["labels"]
            for kind, found in one["support"].items()
        )
        synonyms = tuple((one["name"], *one.get("synonyms", ())) for one in record["labels"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"a table of knowledge lacks {error}") from error
    return Knowledge(findings, entries, synonyms)


@lru_cache(maxsize=1)
def retina() -> Knowledge:
    """The table of the eye's background."""
    path = files("sightline.rewards").joinpath("tables/retina.json")
    return knowledge_of(json.loads(path.read_text(encoding="utf-8")))
