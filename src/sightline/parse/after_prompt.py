"""What a model wrote, in a text that holds its prompt as well: how trainers decode whole sequences."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from sightline.core.missing import Missing

# how the last turn begins in the chat templates of common models
STARTS = (
    "<|im_start|>assistant\n",
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "<start_of_turn>model\n",
    "<|assistant|>\n",
    "[/INST]",
    "ASSISTANT:",
)
SURE = 8  # characters of a prompt's end that do not stand in a text by chance


@dataclass(frozen=True, slots=True)
class AfterPrompt:
    r"""The text behind the prompt, or behind as much of the prompt's end as is found again.

    Decoded sequences begin with special tokens that the prompt's text lacks, pictures become many tokens, and long
    prompts lose their beginning. Where not even the end is found, the text behind the last of `starts` counts.

    Args:
        prompt: the prompt's text.
        starts: how the turn of a model begins.

    Example:
        >>> AfterPrompt("Where?")("<s>Where? Left."), AfterPrompt("<img> Where is it?")("<i><i> Where is it? Left.")
        (' Left.', ' Left.')
        >>> AfterPrompt("Where?")("<|im_start|>assistant\nLeft.")
        'Left.'
    """

    prompt: str
    starts: tuple[str, ...] = STARTS

    def __call__(self, text: str) -> str | Missing:
        if text.startswith(self.prompt):
            return text[len(self.prompt) :]
        size = self._end_found(text)
        if size >= min(SURE, len(self.prompt)):
            return text[text.find(self.prompt[-size:]) + size :]
        ends = [text.rfind(start) + len(start) for start in self.starts if start in text]
        return text[max(ends) :] if ends else Missing("the text does not hold its prompt")

    def _end_found(self, text: str) -> int:
        """Characters of the longest end of the prompt that stands in the text."""
        sizes = range(1, len(self.prompt) + 1)
        return bisect_left(sizes, True, key=lambda size: self.prompt[-size:] not in text)
