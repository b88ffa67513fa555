"""A judge of phrases that knows the truth of pictures, with errors on purpose where a study wants them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.judges.judge import Question, Verdict
from sightline.lab.worlds.spoken import KINDS, phrase_classes
from sightline.metrics.fact_classes import CLASSES
from sightline.rewards import phrase_facts


@dataclass(frozen=True, eq=False)
class FactOracle:
    """Chooses the true class of the last phrase for the kind of fact that is asked about.

    Args:
        known: fingerprint of a picture -> what is in it.
        error: share of verdicts that go to another class; which ones depends on the question alone.

    Reads: the question's fields `kind` and `phrases`, its first picture.
    """

    known: Mapping[str, Sequence[dict[str, Any]]]
    error: float = 0.0

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], error: float = 0.0) -> FactOracle:
        """An oracle of the pictures of a world's rows."""
        return cls({fingerprint(row["images"][0]): row["truth"]["objects"] for row in rows}, error)

    @property
    def id(self) -> str:
        return f"fact oracle of {len(self.known)} pictures, error {self.error:g}"

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """All probability on one class."""
        return [self._one(question) for question in questions]

    def _one(self, question: Question) -> Verdict[tuple[float, ...]]:
        key = fingerprint(question.images[0]) if question.images else ""
        if key not in self.known:
            return Verdict(error="the picture is not known")
        kind, phrase = str(question.field("kind")), str(question.field("phrases")[-1])
        which = [phrase_facts.KINDS[name] for name in KINDS].index(kind)
        chosen = phrase_classes(phrase, self.known[key])[which]
        digest = hashlib.blake2b(f"{key}|{kind}|{phrase}".encode("utf-8", "replace"), digest_size=8).digest()
        draw = int.from_bytes(digest, "big") / 2**64
        if draw < self.error:
            chosen = (chosen + 1 + int(2 * draw / self.error)) % 3
        return Verdict(tuple(float(chosen == i) for i in range(len(CLASSES))))


def fingerprint(picture: Any) -> str:
    """Of the pixels, whatever object holds them."""
    return hashlib.blake2b(np.asarray(picture.convert("RGB")).tobytes(), digest_size=8).hexdigest()
