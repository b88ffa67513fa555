"""Judges that are model objects: a policy as its own judge, a frozen copy of it as reference.

System files name the policy by a placeholder, `OwnPolicy`, since it does not exist when they are written. Whoever has
the model puts a `ModelJudge` in its place (`sightline.rewards.reward.with_judge`).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from sightline.core.errors import MissingExtra
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.stream import Arrival, Streamed

if TYPE_CHECKING:
    from sightline.judges.loaded import Loaded


@dataclass(frozen=True)
class OwnPolicy(Streamed):
    """Stands for the policy that is being trained, or for a frozen copy of how it was at the start.

    A value without a model: every answer is an error until a `ModelJudge` is put in its place.

    Args:
        which: the policy as it is now, or as it was at the start.

    Example:
        >>> OwnPolicy().generate([Question("Is it red?")])[0].error
        'no model stands for the policy (current): put one in with with_judge(reward, ModelJudge(...), OwnPolicy())'
    """

    which: Literal["current", "start"] = "current"

    @property
    def id(self) -> str:
        return f"own policy, {self.which}"

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        call = "OwnPolicy()" if self.which == "current" else f"OwnPolicy({self.which!r})"
        why = f"put one in with with_judge(reward, ModelJudge(...), {call})"
        for number in range(len(questions)):
            yield number, Verdict(error=f"no model stands for the policy ({self.which}): {why}")


@dataclass(frozen=True)
class ModelJudge(Streamed):
    """A transformers model that is in memory as a judge; abilities and batching as for `LocalJudge`.

    The model is asked without gradients and in eval mode, and is left in the mode it was in. Its weights may change
    between calls, so its verdicts are those of the moment: do not cache them. Two judges are equal if they hold the
    same object and have the same name. Sampling at a temperature above 0 without a seed draws on the global random
    state, as the trainer's own sampling does.

    Args:
        model: a transformers model; a peft model is asked with its adapter. A wrapper's `module` is asked itself.
        processor: its processor, or the tokenizer of a text model. Its padding side is left as it was.
        name: the judge's id.
        batch_size: prompts, or continuations, per forward pass.
        adapter: False: a peft model without its adapter, which is the policy at the start of training.

    Raises:
        MissingExtra: on use, without torch or transformers.
    """

    model: Any = field(repr=False)
    processor: Any = field(repr=False)
    name: str = "policy"
    batch_size: int = 8
    adapter: bool = True

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, ModelJudge) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    def _identity(self) -> tuple[Any, ...]:
        return id(self.model), id(self.processor), self.name, self.batch_size, self.adapter

    @property
    def id(self) -> str:
        return f"model:{self.name}"

    @cached_property
    def _loaded(self) -> Loaded:
        try:
            from sightline.judges.loaded import of_model
        except ImportError as error:
            raise MissingExtra.of("ModelJudge", "train") from error
        return of_model(self.model, self.processor)

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """Verdicts, after all are there: the model is not left in another state while somebody else works."""
        from sightline.judges import batches, loaded

        model = self._loaded
        with model.turn:  # judges are asked in threads, and the same model may be asked with and without its adapter
            side = getattr(model.tokenizer, "padding_side", None)
            try:
                with loaded.adapter_as(self.model, self.adapter):
                    verdicts = list(batches.answers(model, ability, questions, self.batch_size))
            finally:
                if side is not None:
                    model.tokenizer.padding_side = side
        yield from verdicts


def frozen_copy(model: Any, processor: Any, name: str = "policy at the start", batch_size: int = 8) -> ModelJudge:
    """A judge that stays as the policy is now, while the policy goes on learning.

    A peft model is asked without its adapter, which costs no memory; any other is copied.
    """
    if hasattr(model, "disable_adapter"):
        return ModelJudge(model, processor, name, batch_size, adapter=False)
    still = copy.deepcopy(getattr(model, "module", model)).eval().requires_grad_(False)
    return ModelJudge(still, processor, name, batch_size)
