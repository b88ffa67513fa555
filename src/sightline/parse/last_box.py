r"""The last `\boxed{...}` of a text that is closed.

`maths.Boxed` looks at the last one only, closed or not; an answer cut off in a second box still has its first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.tags import Span

_BOXED = "\\boxed{"
_TOKEN = re.compile(r"\\boxed\{|\\.|[{}]", re.DOTALL)
_SEARCHED = 200_000  # characters at the end of a text


@dataclass(frozen=True, slots=True)
class LastBox:
    r"""The text inside the `\boxed{...}` that begins last among those whose braces are balanced.

    Escaped braces are no braces. The last 200,000 characters of a text are searched.

    Example:
        >>> LastBox()(r"\boxed{1}, so \boxed{\frac{1}{2}} or \boxed{3"), LastBox()("1").why
        ('\\frac{1}{2}', 'no closed \\boxed{...}')
    """

    def __call__(self, text: str) -> str | Missing:
        found = self.span(text)
        return found.text if isinstance(found, Span) else found

    def span(self, text: str) -> Span | Missing:
        """The box's content and its place in `text`, for marks."""
        first = text.find(_BOXED, max(0, len(text) - _SEARCHED))
        open_: list[int] = []  # where the content of a box begins, or -1 for a plain brace
        best: Span | None = None
        for token in _TOKEN.finditer(text, first) if first >= 0 else ():
            if token[0] == "}":
                start = open_.pop() if open_ else -1
                if start >= 0 and (best is None or start > best.start):
                    best = Span(text[start : token.start()], start, token.start())
            elif token[0] in ("{", _BOXED):
                open_.append(token.end() if token[0] == _BOXED else -1)
        return best or Missing("no closed \\boxed{...}")
