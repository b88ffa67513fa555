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
from sightline.core.errors import SightlineError
from sightline.rewards.reward import Reward

# how the last turn begins and ends in the chat templates of common models
STARTS = (
    "<|im_start|>assistant\n",
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "<start_of_turn>model\n",
    "<|assistant|>\n",
    "[/INST]",
    "ASSISTANT:",
)
STOPS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<eos>", "<|end|>", "</s>")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RewardFunction:
    """A reward as OpenRLHF calls it: `rewards`, `scores` and the parts that were scored.

    Args:
        reward: any reward expression that compares no rollouts.
        unscorable: the number where there is nothing to judge or the judge failed; OpenRLHF has no other word for it.
        starts: how the turn of the model begins, for prompts that were changed before the model saw them: pictures
            become many tokens. The last one found counts.
        stops: special tokens after which the response has ended.

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
        columns = as_columns([unpack(label) for label in labels])
        said = [self.response(query, prompt) for query, prompt in zip(queries, prompts, strict=True)]
        try:
            found = outcomes(self.reward, said, columns, prompts=prompts)
        except SightlineError:
            log.exception("sightline: these rollouts have no reward")
            raise
        numbers = [one.number(self.unscorable) for one in found]
        logs: dict[str, Any] = dict(found[0].numbers()) if len(found) == 1 else {}
        value = numbers[0] if len(numbers) == 1 else numbers
        return {"rewards": value, "scores": value, "extra_logs": {**logs, "unscorable": float(not found[0].scored)}}

    def response(self, query: str, prompt: str) -> str:
        """What the model wrote, without the prompt and without the special tokens at its end.

        Example:
            >>> from sightline.rewards.algebra import Constant
            >>> RewardFunction(Constant(0.0)).response("Where?<|im_start|>assistant\\nLeft.<|im_end|>", "other")
            'Left.'
        """
        if query.startswith(prompt):
            said = query[len(prompt) :]
        else:
            ends = [query.rfind(start) + len(start) for start in self.starts if start in query]
            said = query[max(ends) :] if ends else query
        cut = min((said.find(stop) for stop in self.stops if stop in said), default=len(said))
        return said[:cut]
