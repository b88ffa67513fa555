"""Which characters of a text each sampled token stands for.

Sampled tokens need not be those that tokenising the text again would give, so the tokens themselves are decoded. Most
decoders write each token as it would follow its neighbour, which is checked; any other is decoded prefix by prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
MOST_PAIRS = 1 << 20  # of neighbouring tokens that are remembered: about a hundred megabytes


class TokenOffsets:
    """Characters of tokens, with a memory of what pairs of neighbouring tokens decode to.

    Args:
        tokenizer: the policy's; special tokens stand for no characters.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.special = set(getattr(tokenizer, "all_special_ids", ()))
        self._pieces: dict[tuple[int, int], str] = {}

    def __call__(self, ids: Sequence[int], text: str, own: Sequence[bool] | None = None) -> Offsets:
        """(T, 2) the characters [start, end) of every token.

        A special token gets the empty place where it stands. Where one character takes several tokens, each has it.
        Tokens of a run that is not found in the text get -1.

        Args:
            ids: T tokens.
            text: what the policy wrote, its turns joined by newlines.
            own: T, False for tokens that a tool or an environment wrote: they get -1. None: all are the policy's.
        """
        found = np.full((len(ids), 2), -1, dtype=np.int64)
        written = [True] * len(ids) if own is None else [bool(one) for one in own]
        cursor = 0
        for mine, places in groupby(range(len(ids)), key=written.__getitem__):
            run = list(places)
            if not mine:
                continue
            said = self._decode([ids[t] for t in run])
            words = said.strip()  # a turn may have been stripped
            at = text.find(words, cursor)
            if at < 0:
                continue
            start = at - (len(said) - len(said.lstrip())) if words else cursor
            found[run] = np.clip(self.within([ids[t] for t in run], said) + start, 0, len(text))
            cursor = at + len(words)
        return found

    def within(self, ids: Sequence[int], said: str) -> Offsets:
        """(T, 2) the characters of tokens in the text that they decode to."""
        pieces = [self._piece(before, token) for before, token in zip([-1, *ids[:-1]], ids, strict=True)]
        ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
        if "".join(pieces) != said:
            ends = self._prefix_ends(ids, said)
        starts = np.concatenate([[0], ends[:-1]]) if len(ids) else ends
        return self._with_shared_characters(ids, np.stack([starts, ends], axis=1), len(said))

    def _prefix_ends(self, ids: Sequence[int], said: str) -> NDArray[np.int64]:
        prefixes = self.tokenizer.batch_decode([ids[: t + 1] for t in range(len(ids))], skip_special_tokens=True)
        shared = [_shared(prefix, said) for prefix in prefixes]
        return np.maximum.accumulate(np.array(shared, dtype=np.int64)) if shared else np.zeros(0, np.int64)

    def _with_shared_characters(self, ids: Sequence[int], offsets: Offsets, size: int) -> Offsets:
        """Tokens that hold only a part of the next character's bytes stand for that character."""
        for t in range(len(ids) - 2, -1, -1):
            start, end = offsets[t]
            if start == end < size and ids[t] not in self.special and offsets[t + 1, 1] > start:
                offsets[t, 1] = start + 1
        return offsets

    def _piece(self, before: int, token: int) -> str:
        """What a token adds behind another one."""
        key = (before, token)
        if key not in self._pieces:
            if len(self._pieces) >= MOST_PAIRS:
                self._pieces.clear()
            left = "" if before < 0 else self._decode([before])
            whole = self._decode([token] if before < 0 else [before, token])
            self._pieces[key] = whole[len(left) :] if whole.startswith(left) else "\ufffd"
        return self._pieces[key]

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))


def _shared(a: str, b: str) -> int:
    """How many characters two texts have in common at their beginning."""
    size = min(len(a), len(b))
    if a[:size] == b[:size]:
        return size
    return next(at for at in range(size) if a[at] != b[at])
