"""Putting retrieved pages in order by a model that sees all of them at once: a plug-in behind any retriever.

What comes back is always a whole order, whatever the model wrote. Knows models only as judges that `generate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sightline.core.errors import JudgeError
from sightline.core.missing import Missing
from sightline.judges.judge import Generates, Question, Sampling
from sightline.judges.prompts import prompt
from sightline.parse.rankings import RankedIds, Ranking, whole_order


@dataclass(frozen=True)
class Reranker:
    """Asks a model for the order of all candidates at once.

    Args:
        judge: sees the query and the pages, answers with a list of ids counted from 1.
        template: the prompt, with places `query` and `count`.
        ranking: reply -> ranking or Missing.
        repeats: `keep` leaves repeated ids in the result, as released code does.
        most: how many pages are reordered; later ones keep their places behind them.
        sampling: greedy, so that a second call gives the same order.

    Example:
        >>> from sightline.judges.judge import Verdict
        >>> class Says:
        ...     id = "says"
        ...     def generate(self, questions): return [Verdict("<answer>[3, 1]</answer>")] * len(questions)
        >>> Reranker(Says())("Which page has the table?", ["a.png", "b.png", "c.png", "d.png"], )
        [2, 0, 1, 3]

    References:
        Xu et al., MM-R5, arXiv 2506.12364.
    """

    judge: Generates
    template: str = prompt("rerank").text
    ranking: Callable[[str], Ranking | Missing] = RankedIds(repeats="keep")
    repeats: Literal["drop", "keep"] = "drop"
    most: int = 10
    sampling: Sampling = Sampling(max_tokens=2048)

    def __call__(self, query: str, images: Sequence[Any]) -> list[int]:
        """The order of the images, best first, counted from 0.

        A reply that cannot be read leaves the order as it was.

        Raises:
            JudgeError: the judge failed; the message keeps its words.
        """
        shown = tuple(images[: self.most])
        if not shown:
            return []
        fields = (("query", query), ("count", str(len(shown))))
        verdict = self.judge.generate([Question(self.template, fields, images=shown, sampling=self.sampling)])[0]
        if verdict.value is None:
            raise JudgeError(f"Reranker: {verdict.error}")
        found = self.ranking(verdict.value)
        said = found if isinstance(found, Missing) else found.ids
        return [*whole_order(said, len(shown), self.repeats), *range(len(shown), len(images))]
