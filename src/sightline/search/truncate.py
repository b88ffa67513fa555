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
        nudge: what is put behind the cut: nothing, or a sentence that names the doubtful piece. It is never cut itself.

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
        drafts = [_Draft(text) for text in texts]
        going = list(range(len(texts)))
        for _ in range(self.rounds):
            going = self._round(drafts, going, verify, write)
        return [draft.corrected() for draft in drafts]

    def _round(self, drafts: Sequence[_Draft], going: Sequence[int], verify: Verifier, write: Writer) -> list[int]:
        """One round on the rows that still go; those that were cut are returned, the others know why they stopped."""
        if not going:
            return []
        said = _each("verifier", going, verify(going, [drafts[row].text for row in going]))
        cut = [row for row, pieces in zip(going, said, strict=True) if drafts[row].cut(pieces, self.nudge)]
        rest = _each("writer", cut, write(cut, [drafts[row].text for row in cut])) if cut else []
        for row, more in zip(cut, rest, strict=True):
            drafts[row].write(more)
        return cut


@dataclass
class _Draft:
    """A reply while it is being corrected; `nudges` are the places of what was put into it."""

    text: str
    cuts: int = 0
    stopped: Stop = "out of rounds"
    flagged: tuple[str, ...] = ()
    written: int = 0
    nudges: tuple[tuple[int, int], ...] = ()

    def cut(self, pieces: list[str] | Missing, nudge: Nudge) -> bool:
        """Cut before the first flagged piece, or know why not."""
        if isinstance(pieces, Missing):
            self.stopped, self.flagged = "not verified", ()
            return False
        self.flagged = tuple(pieces)
        first = first_found(self.text, pieces, self.nudges)
        if first is None:
            self.stopped = "not found" if pieces else "nothing flagged"
            return False
        start, piece = first
        self.nudges = tuple(place for place in self.nudges if place[1] <= start)
        self.text = self.text[:start] + nudge(piece)
        self.nudges += ((start, len(self.text)),)
        return True

    def write(self, more: str) -> None:
        self.text += more
        self.cuts += 1
        self.written += len(more)

    def corrected(self) -> Corrected:
        return Corrected(self.text, self.cuts, self.stopped, self.flagged, self.written)


def first_found(text: str, pieces: Sequence[str], but: Sequence[tuple[int, int]] = ()) -> tuple[int, str] | None:
    """The smallest place at which a flagged piece stands in the text, and the piece; None if none does.

    Args:
        but: places [start, end) that do not count: a nudge quotes the piece that it doubts.

    Example:
        >>> first_found("a cup and two dogs", ["two dogs", "mug", "cup"])
        (2, 'cup')
        >>> first_found("a cup and a cup", ["cup"], but=[(0, 6)])
        (12, 'cup')
    """
    everywhere = zip(found_in(text, pieces, "all"), pieces, strict=True)
    places = ((start, end, piece) for spans, piece in everywhere for start, end in spans)
    outside = ((start, piece) for start, end, piece in places if all(end <= a or b <= start for a, b in but))
    return min(outside, default=None)


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
