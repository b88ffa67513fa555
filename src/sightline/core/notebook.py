"""Scores as a table for notebooks; a reason may quote a policy, so nothing in it becomes markup."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sightline.core.scores import Scores

ROWS, LETTERS = 20, 120  # shown at most


def table(scores: Scores) -> str:
    """One line a rollout: the value, every part, and why.

    Example:
        >>> from sightline.core.scores import Score, Scores
        >>> table(Scores.from_rows([Score(0.5, "<b>")])).count("&lt;b&gt;")
        1
    """
    parts = {"reward": scores, **scores.parts}
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *parts, "why"))
    rows = min(len(scores), ROWS)
    body = "".join(f"<tr><th>{row}</th>{_cells(parts, row)}</tr>" for row in range(rows))
    more = f"<p>{len(scores) - rows:,} more</p>" if len(scores) > rows else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cells(parts: dict[str, Scores], row: int) -> str:
    values = "".join(f"<td>{float(part.values[row]):.4g}</td>" for part in parts.values())
    reasons = [(name, part.why[row]) for name, part in parts.items() if part.why[row]]
    why = "; ".join(said if name == "reward" else f"{name}: {said}" for name, said in reasons)
    return f"{values}<td>{escape(why if len(why) <= LETTERS else why[: LETTERS - 1] + '…')}</td>"
