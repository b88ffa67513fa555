"""Writing a reply again from where it first goes wrong: verify, cut before the first flagged piece, write on, repeat.

Knows the writer as something that goes on from beginnings, and the verifier as something that quotes what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from sightline.core.errors import ConfigError, ShapeError
from sightline.core.missing import Missing
from sightline.judges.judge import Generates, ask
from sightline.parse.flagged import FlaggedPieces
from sightline.rewards.flagged import VERIFIER, asked_about, found_in

Writer: TypeAlias = Callable[[Sequence[int], Sequence[str]], Sequence[str]]
"""(rows, the beginning of the reply of each) -> what is written behind each beginning."""
Verifier: TypeAlias = Callable[[Sequence[int], Sequence[str]], Sequence["list[str] | Missing"]]
"""(rows, the reply of each) -> the pieces of each reply that are wrong, quoted; Missing if that cannot be told."""
Nudge: TypeAlias = Callable[[str], str]
"""The doubtful piece -> what is put behind the cut before the reply goes on."""
Stop = Literal["nothing flagged", "not found", "not verified", "out of rounds"]


def doubt(piece: str) -> str:
    """A sentence that reflects on the doubtful piece.

    Example:
        >>> doubt("two dogs")
        'Wait, I should look again before I say "two dogs". '
    """
    return f'Wait, I should look again before I say "{piece}". '


def from_scratch(piece: str) -> str:
    """Nothing: the reply just goes on from the cut.

    Example:
        >>> from_scratch("two dogs")
        ''
    """
    return ""


class Corrected(NamedTuple):
    """What became of a reply.

    Args:
        text: the last version.
        cuts: how often it was cut and written on.
        stopped: why it was not cut again.
        flagged: the pieces that the last verification flagged.
        written: characters that were written in all, those of the first version not counted.
    """

    text: str
    cuts: int
    stopped: Stop
    flagged: tuple[str, ...]
    written: int


@dataclass(frozen=True)
class TruncateAndRegenerate:
    """Cuts replies before their first flagged piece and has them written on, until nothing is flagged.

    Args:
        rounds: k, how often a reply is verified at most, and cut at most.
        nudge: what is put behind the cut: nothing, or a sentence that names the doubtful piece.

    A reply is kept as it is when nothing is flagged, when no flagged piece stands in it to the letter, or when the
    verifier fails. All replies of a round are verified, and all cut ones written on, in one call each.

    Raises:
        ConfigError: a negative number of rounds.

    Example:
        >>> def verify(rows, texts): return [["two dogs"] if "two dogs" in text else [] for text in texts]
        >>> def write(rows, beginnings): return ["a dog. So A."] * len(rows)
        >>> TruncateAndRegenerate(4)(["I see two dogs. So B.", "So C."], verify, write)[0]
        Corrected(text='I see a dog. So A.', cuts=1, stopped='nothing flagged', flagged=(), written=12)

    References:
        Perceval, arXiv 2604.24583, test-time scaling.
    """

    rounds: int = 4
    nudge: Nudge = from_scratch

    def __post_init__(self) -> None:
        if self.rounds < 0:
            raise ConfigError(f"{type(self).__name__}: {self.rounds} rounds; it must be at least 0")

    def __call__(self, texts: Sequence[str], verify: Verifier, write: Writer) -> list[Corrected]:
        """Correct replies.

        Raises:
            ShapeError: verifier or writer did not answer once for every reply.
        """
        found = [Corrected(text, 0, "out of rounds", (), 0) for text in texts]
        going = list(range(len(texts)))
        for _ in range(self.rounds):
            going = self._round(found, going, verify, write)
        return found

    def _round(self, found: list[Corrected], going: Sequence[int], verify: Verifier, write: Writer) -> list[int]:
        """One round on the rows that still go; those that go on are returned, the others know why they stopped."""
        if not going:
            return []
        said = _each("verifier", going, verify(going, [found[row].text for row in going]))
        cut: dict[int, str] = {}
        for row, pieces in zip(going, said, strict=True):
            begun = self._beginning(found[row].text, pieces)
            flagged = () if isinstance(pieces, Missing) else tuple(pieces)
            if isinstance(begun, str):
                cut[row] = begun
                found[row] = found[row]._replace(flagged=flagged)
            else:
                found[row] = found[row]._replace(stopped=begun[0], flagged=flagged)
        rest = _each("writer", list(cut), write(list(cut), list(cut.values()))) if cut else []
        for (row, begun), more in zip(cut.items(), rest, strict=True):
            old = found[row]
            found[row] = old._replace(text=begun + more, cuts=old.cuts + 1, written=old.written + len(more))
        return list(cut)

    def _beginning(self, text: str, pieces: list[str] | Missing) -> str | tuple[Stop]:
        """What stays of a reply, or why all of it does."""
        if isinstance(pieces, Missing):
            return ("not verified",)
        if not pieces:
            return ("nothing flagged",)
        first = first_found(text, pieces)
        return ("not found",) if first is None else text[: first[0]] + self.nudge(first[1])


def first_found(text: str, pieces: Sequence[str]) -> tuple[int, str] | None:
    """The smallest place at which a flagged piece stands in the text, and the piece; None if none does.

    Example:
        >>> first_found("a cup and two dogs", ["two dogs", "mug", "cup"])
        (2, 'cup')
    """
    places = zip(found_in(text, pieces), pieces, strict=True)
    return min(((spans[0][0], piece) for spans, piece in places if spans), default=None)


@dataclass(frozen=True)
class JudgeVerifies:
    """A judge as verifier of replies to questions about pictures.

    Args:
        judge: quotes what is wrong.
        problems: the question of every row.
        images: the pictures of every row; none if there are none.
        template: the prompt.
    """

    judge: Generates
    problems: Sequence[str]
    images: Sequence[Sequence[Any]] = ()
    template: str = VERIFIER
    pieces: Callable[[str], list[str] | Missing] = FlaggedPieces()

    def __call__(self, rows: Sequence[int], texts: Sequence[str]) -> list[list[str] | Missing]:
        """What the judge flags in each reply; Missing if it fails or cannot be read."""
        shown = [self.images[row] if self.images else () for row in rows]
        asked = [
            asked_about(text, self.problems[row], images, self.template)
            for row, text, images in zip(rows, texts, shown, strict=True)
        ]
        verdicts = ask(self.judge, "generate", asked)
        return [Missing(verdict.error) if verdict.value is None else self.pieces(verdict.value) for verdict in verdicts]


def _each(who: str, rows: Sequence[int], said: Sequence[Any]) -> Sequence[Any]:
    if len(said) != len(rows):
        raise ShapeError(f"TruncateAndRegenerate: the {who} answered {len(said)} times for {len(rows)} replies")
    return said
