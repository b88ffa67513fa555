"""What a verifier of a reply flags: the exact pieces of it that it found wrong, as a list in an answer block.

Knows nothing of the reply itself: whether a piece stands in it is for others to see.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.tags import ANSWER, Block

CORRECT = "The response is correct"
_LONGEST = 20_000  # characters of a list; a verifier writes far fewer


@dataclass(frozen=True, slots=True)
class FlaggedPieces:
    """The list in the first answer block of a verifier's reply.

    `[]` if the block says that the response is correct. Members that are not texts are dropped.

    Args:
        block: where the list stands.
        correct: the sentence that says that nothing is wrong.

    Returns: the pieces, or Missing for what is neither a list nor that sentence.

    Example:
        >>> flagged = FlaggedPieces()
        >>> flagged('<answer>["the cup is red", "two dogs"]</answer>'), flagged("<answer>[]</answer>")
        (['the cup is red', 'two dogs'], [])
        >>> flagged("<answer>The response is correct. </answer>"), flagged('<answer>["a"').why
        ([], 'no closed <answer> block')
        >>> flagged("<answer>the cup</answer>").why
        "neither a list nor `The response is correct`: 'the cup'"
    """

    block: Block = ANSWER
    correct: str = CORRECT

    def __call__(self, reply: str) -> list[str] | Missing:
        said = self.block(reply)
        if isinstance(said, Missing):
            return said
        if self.correct in said:
            return []
        if not (said.startswith("[") and said.endswith("]")):
            return Missing(f"neither a list nor `{self.correct}`: {said!r:.60}")
        found = _literal(said)
        return found if isinstance(found, Missing) else [piece for piece in found if isinstance(piece, str)]


def flagged_or_none(reply: str) -> list[str]:
    """The flagged pieces; a reply that cannot be read flags nothing.

    Example:
        >>> flagged_or_none('<answer>["a", 3, "b"]</answer>'), flagged_or_none("no tags")
        (['a', 'b'], [])
    """
    found = FlaggedPieces()(reply)
    return [] if isinstance(found, Missing) else found


def _literal(said: str) -> list[object] | Missing:
    if len(said) > _LONGEST:
        return Missing(f"a list of {len(said)} characters is not read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash that escapes nothing stays a backslash
            found = ast.literal_eval(said)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return Missing(f"not a list of texts: {said!r:.60}")
    return found if isinstance(found, list) else Missing(f"not one list: {said!r:.60}")
