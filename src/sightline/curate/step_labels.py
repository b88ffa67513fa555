"""Labels for a model of steps without human work: how often a solution that goes on from a step comes out right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from sightline.core.errors import ShapeError
from sightline.parse.steps import Steps
from sightline.parse.tags import Span

Divide = Callable[[str], Sequence[Span]]
Count = Literal["share", "any"]
STEPS = Steps()


class LabelledStep(NamedTuple):
    """The beginning of a solution up to the end of one step, and how good that step is, 0..1."""

    prefix: str
    label: float


def prefixes(solution: str, steps: Divide = STEPS) -> list[str]:
    """The beginnings of a solution that end where its steps end: what another model writes on from.

    Example:
        >>> prefixes("Step 1: add.\\nStep 2: halve.")
        ['Step 1: add.', 'Step 1: add.\\nStep 2: halve.']
    """
    return [solution[: step.end] for step in steps(solution)]


def step_labels(
    solution: str, right: Sequence[Sequence[float]], count: Count = "share", steps: Divide = STEPS
) -> Iterator[LabelledStep]:
    """A label for every step of a solution, from completions that were written behind it.

    label_k = share of right completions behind step k (`share`), or 1 if any is right (`any`)

    Args:
        right: (K, N_k) 1 where a completion came to the right answer; a step without completions gets no label.

    Raises:
        ShapeError: there is not one list for every step.

    Example:
        >>> [step.label for step in step_labels("add\\nhalve", [[1, 1, 0, 1], [0, 0]])]
        [0.75, 0.0]
    """
    beginnings = prefixes(solution, steps)
    if len(beginnings) != len(right):
        raise ShapeError(f"step_labels: {len(beginnings)} steps and completions behind {len(right)}")
    for prefix, found in zip(beginnings, right, strict=True):
        if len(found):
            yield LabelledStep(prefix, float(max(found) if count == "any" else sum(found) / len(found)))
