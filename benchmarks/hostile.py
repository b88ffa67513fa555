"""What one hostile rollout costs each system: replies of up to a megabyte, made of the system's own grammar.

    python benchmarks/hostile.py [SLUG ...]

For every system, each tag, bracket and word of its specimen replies is repeated up to a size, alone and in pairs that
open and close; whole replies are repeated; boxes, digits and brackets are piled up. Prints the dearest rollouts in
milliseconds of processor time (the better of two runs), the aim being under 50.
"""

from __future__ import annotations

import gc
import re
import sys
import time
from collections.abc import Iterator

import sightline
from sightline.core.batch import Batch
from sightline.rewards.reward import Reward
from sightline.system import System

SIZE = 1_000_000
AIM = 50.0
KINDS = 6
PIECE = re.compile(r"</?\w[^<>]{0,40}>|\w+|[^\w\s]")
PILES = {
    "digits": "9",
    "brackets": "[",
    "braces": '{"a":',
    "fences": "```json\n",
    "infinite": "[1e999, NaN],",
    "boxes": '{"bbox_2d": [9, 9, 1, 1], "label": "a", "Position": [9, 9, 1, 1], "Confidence": 0.9},',
    "bare boxes": "[9, 9, 1, 1], ",
    "sentences": "The cat sat on mat {n}. ",
    "right to left": "\u202e\u2066",
    "nul": "\x00",
    "latex": "\\boxed{\\frac{1}{2}} ",
}


def specimens(system: System) -> list[str]:
    """The replies of a system's specimen rows as texts."""
    return Batch.from_rows(list(system.specimen)).texts  # type: ignore[return-value]


def kinds(system: System) -> list[dict[str, object]]:
    """Specimen rows of every kind: those that differ in a short text or a flag, which rewards may switch on."""
    found: dict[object, dict[str, object]] = {}
    for row in system.specimen:
        short = (str, bool, type(None))
        key = tuple((k, v if isinstance(v, short) and len(str(v)) < 20 else type(v)) for k, v in row.items())
        kind = tuple((k, v) for k, v in key if k not in ("completion", "prompt", "group", "solution", "id"))
        found.setdefault(str(kind), dict(row))
    return list(found.values())[:KINDS]


def replies(system: System, size: int = SIZE) -> Iterator[tuple[str, str]]:
    """(what it is, the reply) of every hostile reply for a system."""
    texts = [text for text in specimens(system) if text]
    longest = max(texts, key=len)
    yield "specimen again and again", longest * (size // len(longest))
    for piece in dict.fromkeys(PIECE.findall(" ".join(texts))):
        if piece.startswith("<") or len(piece) == 1:
            yield f"{piece!r} again and again", piece * (size // len(piece))
    for tag in dict.fromkeys(re.findall(r"<(\w+)>", " ".join(texts))):
        opened, closed = f"<{tag}>", f"</{tag}>"
        yield f"{opened} nested", opened * (size // 20) + closed * (size // 20)
        yield f"{opened} full of boxes", opened + "[" + "[1, 2, 3, 4], " * 100_000 + "[1, 2, 3, 4]]" + closed
        yield f"{opened} full of words", opened + _words(size) + closed
        yield f"{opened} many", f"{opened}1{closed}" * (size // (len(opened) * 2 + 2))
    for name, pile in PILES.items():
        body = "".join(pile.replace("{n}", str(i)) for i in range(size // max(len(pile), 1)))
        yield name, body
        yield f"{name} in tags", f"<think>a</think><answer>{body}</answer>"


def _words(size: int) -> str:
    return " ".join(f"w{i}" for i in range(size // 7))


def milliseconds(reward: Reward, row: dict[str, object], text: str) -> float:
    """Processor time of one rollout, the better of two runs if the first is above the aim."""
    best = float("inf")
    for _ in range(2):
        batch = Batch.from_rows([{**row, "completion": text}])
        gc.collect()
        began = time.process_time()
        reward(batch)
        best = min(best, (time.process_time() - began) * 1e3)
        if best < AIM:
            break
    return best


def main(slugs: list[str]) -> None:
    print(f"{'system':20} {'variant':9} {'ms':>8}  reply of up to {SIZE:,} characters")
    for slug in slugs or sightline.names():
        system = sightline.load(slug)
        for variant in ("strict", "official"):
            reward = system.variant(variant)
            if variant == "official" and reward == system.variant("strict"):
                continue
            found = []
            for row in kinds(system):
                milliseconds(reward, row, "warm")
                found += [(milliseconds(reward, row, text), what) for what, text in replies(system)]
            found.sort(reverse=True)
            for ms, what in [entry for entry in found if entry[0] > AIM][:4] or found[:1]:
                print(f"{slug:20} {variant:9} {ms:8.1f}  {what}{'   ABOVE' if ms > AIM else ''}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
