"""What a group of answers agrees on, and how far: majority, its share, agreement across two groups.

Answers are compared as they are; canonicalising is the caller's choice. An answer of nothing but white space is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Answers = Sequence[str]


def majority(answers: Answers) -> str:
    """The most frequent answer that is not empty; among equals the one seen first; "" if there is none.

    Example:
        >>> majority(["5", "4", "4", "5"]), majority(["", " "])
        ('5', '')
    """
    counts = Counter(answer for answer in answers if answer.strip())
    return max(counts, key=counts.__getitem__) if counts else ""  # both keep the order of first sight


def agrees(answers: Answers, label: str) -> NDArray[np.float64]:
    """(N,) 1 where an answer is the label; all 0 if the label is empty.

    Example:
        >>> agrees(["4", "5"], "4"), agrees(["", "5"], "")
        (array([1., 0.]), array([0., 0.]))
    """
    return np.array([float(bool(label.strip()) and answer == label) for answer in answers])


def vote_share(answers: Answers) -> float:
    """Share of a side's rollouts that give its majority; 0 without one.

    Example:
        >>> vote_share(["4", "4", "5", ""])
        0.5
    """
    return float(agrees(answers, majority(answers)).mean()) if answers else 0.0


def silent_share(answers: Answers) -> float:
    """Share of a side's rollouts without an answer.

    Example:
        >>> silent_share(["4", " ", "5", ""])
        0.5
    """
    return float(np.mean([not answer.strip() for answer in answers])) if answers else 0.0


def answer_entropy(answers: Answers) -> float:
    """Entropy of a group's answers in nats, empty ones left out: - sum over answers of p ln p.

    Range: 0 (one answer only, or none) to ln of the number of answers. Falls towards 0 as a policy collapses.

    Example:
        >>> round(answer_entropy(["4", "4", "5", "5", ""]), 6), answer_entropy(["4", "4"])
        (0.693147, 0.0)
    """
    counts = np.array(list(Counter(answer for answer in answers if answer.strip()).values()), dtype=np.float64)
    shares = counts / counts.sum() if len(counts) else counts
    return float(-(shares * np.log(shares)).sum()) + 0.0


class CrossAgreement(NamedTuple):
    """Two groups of answers to two phrasings of one question, each judged by the other's majority.

    Args:
        original, rephrased: rewards of either side's answers.
        labels: the majority of either side.
        vote_share: of either majority among all answers of its side.
        same: whether both sides have the same majority, and one at all.
        abstained: share of empty answers on either side.
    """

    original: NDArray[np.float64]
    rephrased: NDArray[np.float64]
    labels: tuple[str, str]
    vote_share: tuple[float, float]
    same: bool
    abstained: tuple[float, float]


def cross_agreement(original: Answers, rephrased: Answers) -> CrossAgreement:
    """Rewards across two phrasings: an answer earns 1 if it is the majority of the other side.

    r_i = 1[o_i = majority(a)],  r'_i = 1[a_i = majority(o)];  0 if that majority is empty

    Example:
        >>> found = cross_agreement(["4", "4", "5", "4"], ["7", "7", "7", "4"])
        >>> found.original, found.rephrased, found.labels
        (array([0., 0., 0., 0.]), array([0., 0., 0., 1.]), ('4', '7'))

    References:
        Zhang et al., Co-Reward, arXiv 2508.00410, the cross rewards.
    """
    mine, other = majority(original), majority(rephrased)
    return CrossAgreement(
        agrees(original, other),
        agrees(rephrased, mine),
        (mine, other),
        (vote_share(original), vote_share(rephrased)),
        bool(mine) and mine == other,
        (silent_share(original), silent_share(rephrased)),
    )
