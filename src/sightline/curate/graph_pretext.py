"""Self-supervised items on graphs, asked in words: is there a link, and how many neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.missing import Missing

Edge = tuple[str, str]
ASK = "Think first, then answer between <answer> and </answer>."


def link_item(edges: Sequence[Edge], seed: int) -> dict[str, Any] | Missing:
    """Whether two nodes are linked, when that one link is hidden from the list; yes and no in half of the items each.

    Both nodes have links that are shown, so that a node without any does not tell.

    Example:
        >>> row = link_item([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")], seed=0)
        >>> row["answer"], row["prompt"][0]["content"][:65]
        ('no', 'Links: a-b, a-c, b-c, c-d. Is there a hidden link between b and d')
    """
    known = _edges(edges)
    nodes = sorted({node for edge in known for node in edge})
    rng = np.random.default_rng(seed)
    linked = bool(rng.random() < 0.5)
    degree = {node: sum(node in edge for edge in known) for node in nodes}
    pairs = [(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1 :]]
    fit = [p for p in pairs if (p in known) == linked and min(degree[p[0]], degree[p[1]]) > int(linked)]
    if not fit:
        return Missing("no pair of nodes to ask about")
    a, b = fit[int(rng.integers(len(fit)))]
    shown = [edge for edge in known if edge != (a, b)]
    question = f"Is there a hidden link between {a} and {b}: yes or no?"
    return _row(shown, question, "yes" if linked else "no", seed, 0.5)


def neighbour_item(edges: Sequence[Edge], seed: int) -> dict[str, Any] | Missing:
    """How many neighbours one node has.

    Example:
        >>> neighbour_item([("a", "b"), ("b", "c")], seed=1)["answer"]
        '2'
    """
    known = _edges(edges)
    nodes = sorted({node for edge in known for node in edge})
    if not nodes:
        return Missing("a graph without links")
    node = nodes[int(np.random.default_rng(seed).integers(len(nodes)))]
    count = sum(node in edge for edge in known)
    return _row(known, f"How many neighbours does {node} have?", str(count), seed, 1 / (len(nodes) - 1))


def _edges(edges: Sequence[Edge]) -> list[Edge]:
    """Each link once, its ends and all of them sorted; a node is not its own neighbour."""
    return sorted({(min(a, b), max(a, b)) for a, b in edges if a != b})


def _row(edges: Sequence[Edge], question: str, answer: str, seed: int, chance: float) -> dict[str, Any]:
    text = f"Links: {', '.join(f'{a}-{b}' for a, b in edges)}. {question} {ASK}"
    prompt = [{"role": "user", "content": text}]
    return {"images": [], "prompt": prompt, "answer": answer, "task": "graph", "seed": seed, "chance": chance}
