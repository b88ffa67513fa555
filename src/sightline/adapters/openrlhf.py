"""OpenRLHF: `reward_func(queries, prompts, labels)` in a Python file for `--reward.remote_url`.

OpenRLHF brings one decoded text of prompt and response with special tokens, and one text, the label. What else a reward
reads, pictures among it, travels packed in the label (`packed.pack`). It asks about one rollout at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sightline.adapters.outcomes import as_columns, one_at_a_time, outcomes
from sightline.adapters.packed import unpack
from sightline.core.missing import Missing
from sightline.parse.after_prompt import STARTS, AfterPrompt
from sightline.rewards.reward import Reward

# how the last turn ends in the chat templates of common models
STOPS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<eos>", "<|end|>", "</s>")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RewardFunction:
    """A reward as OpenRLHF calls it: `rewards`, `scores`, and every part as `reward/PART`, as `Outcome.curves` has it:
    OpenRLHF stops where one rollout of a batch has other logs than the next, and NaN would be the mean of all.

    Args:
        reward: any reward expression that compares no rollouts.
        unscorable: the number where there is nothing to judge or the judge failed; OpenRLHF has no other word for it.
        starts: how the turn of the model begins, for prompts of which not even the end is found again. The last one
            found counts.
        stops: special tokens that are cut off the end of the response.

    Raises:
        CompositionError: the reward compares the rollouts of a prompt.
    """

    reward: Reward
    unscorable: float = 0.0
    starts: tuple[str, ...] = STARTS
    stops: tuple[str, ...] = STOPS

    def __post_init__(self) -> None:
        one_at_a_time(self.reward, "OpenRLHF", "leave that part out, or train with TRL, verl, ms-swift or EasyR1")

    def __call__(self, queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> dict[str, Any]:
        """Score one query or several.

        Raises:
            ColumnError: the label lacks a column that the reward reads. OpenRLHF turns errors into a line of its log
                and trains without a reward, so the error is logged here as well.
        """
        try:
            columns = as_columns([unpack(label) for label in labels])
            said = [self.response(query, prompt) for query, prompt in zip(queries, prompts, strict=True)]
            found = outcomes(self.reward, said, columns, prompts=prompts)
        except Exception:
            log.exception("sightline: these rollouts have no reward")
            raise
        numbers = [one.number(self.unscorable) for one in found]
        curves = [one.curves() for one in found]
        logs = {f"reward/{name}": sum(one[name] for one in curves) / len(curves) for name in curves[0]}
        value = numbers[0] if len(numbers) == 1 else numbers
        return {"rewards": value, "scores": value, "extra_logs": logs}

    def response(self, query: str, prompt: str) -> str:
        """What the model wrote, without the prompt and without the special tokens at its end.

        The whole query, if neither the prompt's end nor a turn of the model is found in it.

        Example:
            >>> from sightline.rewards.algebra import Constant
            >>> RewardFunction(Constant(0.0)).response("Where?<|im_start|>assistant\\nLeft.<|im_end|>", "other")
            'Left.'
        """
        found = AfterPrompt(prompt, self.starts)(query)
        said = query if isinstance(found, Missing) else found
        while stop := next((one for one in self.stops if said.rstrip().endswith(one)), ""):
            said = said.rstrip().removesuffix(stop)
        return said
