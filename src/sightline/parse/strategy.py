"""Which way of answering a policy announces: a token such as `<CODE>` or `<DIRECT>`.

Knows nothing of what the strategies do.
"""

from __future__ import annotations

from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.last_box import LastBox
from sightline.parse.tags import Span


@dataclass(frozen=True, slots=True)
class StrategyToken:
    """The strategy whose token comes first in the text, in exactly this spelling.

    Args:
        names: the strategies; their tokens are the names in angle brackets.
        lead: at most so many characters that are no white space may stand before the token; None: any number.

    Example:
        >>> StrategyToken()("I choose <DIRECT>, not <CODE>."), StrategyToken()("<code>").why
        ('DIRECT', 'no <CODE> or <DIRECT>')
        >>> StrategyToken(lead=5)("I choose <DIRECT>.").why
        'more than 5 characters before <DIRECT>'
    """

    names: tuple[str, ...] = ("CODE", "DIRECT")
    lead: int | None = None

    def __call__(self, text: str) -> str | Missing:
        found = self.span(text)
        return found.text[1:-1] if isinstance(found, Span) else found

    def span(self, text: str) -> Span | Missing:
        """The token and its place in `text`, for marks."""
        tokens = [f"<{name}>" for name in self.names]
        places = sorted((at, token) for token in tokens if (at := text.find(token)) >= 0)
        if not places:
            return Missing(f"no {' or '.join(tokens)}")
        at, token = places[0]
        if self.lead is not None and len("".join(text[:at].split())) > self.lead:
            return Missing(f"more than {self.lead} characters before {token}")
        return Span(token, at, at + len(token))


@dataclass(frozen=True, slots=True)
class AnnouncedAndBoxed:
    r"""The strategy of a text that announces one at its beginning and holds a closed `\boxed{...}`.

    Example:
        >>> AnnouncedAndBoxed()(r"<CODE> ... \boxed{7}"), AnnouncedAndBoxed()("<CODE> 7").why
        ('CODE', 'no closed \\boxed{...}')
    """

    strategy: StrategyToken = StrategyToken(lead=20)
    box: LastBox = LastBox()

    def __call__(self, text: str) -> str | Missing:
        chosen = self.strategy(text)
        if isinstance(chosen, Missing):
            return chosen
        answer = self.box(text)
        return answer if isinstance(answer, Missing) else chosen
