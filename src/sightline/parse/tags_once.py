"""Whether the tags of a reply are all there, each once, in order; what stands around the blocks does not matter."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.core.errors import ConfigError
from sightline.core.missing import Missing
from sightline.parse.tags import Span


@dataclass(frozen=True, slots=True)
class TagsOnce:
    """The blocks of a reply in which every tag opens and closes exactly once, one block behind the other.

    Unlike `FullMatch` it allows text before, between and behind the blocks.

    Args:
        tags: the names, in order.

    Returns:
        One unstripped `Span` for each tag.

    Raises:
        ConfigError: no tag is given.

    Example:
        >>> [span.text for span in TagsOnce()("So: <think>a</think> hence <answer>b</answer>.")]
        ['a', 'b']
        >>> TagsOnce()("<answer>b</answer><think>a</think>").why, TagsOnce()("<answer>b</answer>").why
        ('<answer> stands before </think>', 'no <think>')
        >>> TagsOnce()("<think>a</think><answer>b</answer><answer>c</answer>").why
        '<answer> occurs 2 times'
    """

    tags: tuple[str, ...] = ("think", "answer")

    def __post_init__(self) -> None:
        if not self.tags:
            raise ConfigError("TagsOnce needs at least one tag")

    def __call__(self, text: str) -> tuple[Span, ...] | Missing:
        marks = [mark for tag in self.tags for mark in (f"<{tag}>", f"</{tag}>")]
        for mark in marks:
            times = text.count(mark)
            if times != 1:
                return Missing(f"{mark} occurs {times} times" if times else f"no {mark}")
        places = [text.index(mark) for mark in marks]
        for k in range(1, len(marks)):
            if places[k] < places[k - 1]:
                return Missing(f"{marks[k]} stands before {marks[k - 1]}")
        starts = [places[k] + len(marks[k]) for k in range(0, len(marks), 2)]
        return tuple(Span(text[a:b], a, b) for a, b in zip(starts, places[1::2], strict=True))
