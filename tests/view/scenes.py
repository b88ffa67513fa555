"""Rollouts on the lab's wide pictures with every kind of mistake, scored by a system whose variants disagree on some.

A judged part is added. The policy is a script: what it writes follows from the picture's truth and a seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline import system as record
from sightline.judges import CachedJudge, OverlapJudge
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.stream import Arrival, Streamed
from sightline.lab.worlds import wide
from sightline.rewards.evidence import CitesEvidence
from sightline.rewards.reward import Reward, with_judge
from sightline.scoring import Source, score_file

GROUPS, GROUP = 9, 8
SIZE = 480, 320  # of a wide picture
HOSTILE_GROUP, EMPTY_GROUP = 5, 6
OWNED = "document.title='owned'"
EVIL = f'<script>{OWNED}</script><img src=x onerror="{OWNED}">${{{OWNED}}} {{{{constructor}}}}`'
OVERLOADED = "503: the model is overloaded"
SYSTEM = record.load("visual-rft")
EVIDENCE = CitesEvidence(OverlapJudge()).named("evidence")
STRICT: Reward = SYSTEM.reward + 0.5 * EVIDENCE
OFFICIAL: Reward = SYSTEM.variant("official") + 0.5 * EVIDENCE


@dataclass(frozen=True)
class MoodyJudge(Streamed):
    """Counts words, and is overloaded when the reasoning hesitates."""

    @property
    def id(self) -> str:
        return "lab:words"

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        for number, verdict in enumerate(OverlapJudge().generate(questions)):
            hesitates = "hard to say" in questions[number].text()
            yield number, Verdict(error=OVERLOADED) if hesitates else verdict


def rows(count: int = GROUPS * GROUP) -> Iterator[dict[str, Any]]:
    """Rollouts in groups of eight; pictures are Pillow images."""
    scenes = wide.WIDE.rows(-(-count // GROUP), "train", seed=3)
    for number in range(count):
        group, member = divmod(number, GROUP)
        yield _row(scenes[group], group, member)


def write(folder: Path) -> Path:
    """The rollouts as a file, with their pictures beside it."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    lines = []
    for number, row in enumerate(rows()):
        name = f"pictures/{number // GROUP}.png"
        if number % GROUP == 0:
            row["images"][0].save(folder / name)
        lines.append(json.dumps({**row, "images": [name]}) + "\n")
    path = folder / "rollouts.jsonl"
    path.write_text("".join(lines), "utf-8")
    return path


def scored(folder: Path) -> tuple[Path, Path, Path]:
    """Files scored strictly and officially, and the verdicts of their judge."""
    rollouts, verdicts = write(folder), folder / "verdicts.sqlite"
    judge = CachedJudge(MoodyJudge(), str(verdicts))
    for name, reward in (("strict", STRICT), ("official", OFFICIAL)):
        score_file(Source(rollouts), with_judge(reward, judge), folder / f"{name}.parquet")
    return folder / "strict.parquet", folder / "official.parquet", verdicts


def _row(scene: dict[str, Any], group: int, member: int) -> dict[str, Any]:
    things = scene["truth"]["objects"]
    largest = max(things, key=lambda thing: thing["box"][2] - thing["box"][0])
    colour = largest["colour"]
    wanted = [] if group == EMPTY_GROUP else [thing for thing in things if thing["colour"] == colour][:5]
    rng = random.Random(group * 100 + member)
    said = _answer(member, [_thousand(thing["box"]) for thing in wanted] or [[10, 10, 90, 90]], rng)
    if group == HOSTILE_GROUP and member == 1:
        said = f"<think>{EVIL}</think>{said}"
    else:
        said = f"<think>{_thought(member, colour, wanted)}</think>\n{said}"
    gold = [{"Position": _thousand(thing["box"]), "Confidence": 1} for thing in wanted]
    return {
        "prompt": f"Find every {colour} object in the picture. Answer with boxes in 0..1000 and how sure you are.",
        "question": f"Where are the {colour} objects?",
        "completion": said,
        "images": scene["images"],
        "solution": json.dumps(gold),
        "evidence": [f"a {colour} {thing['name']} {_side(thing['box'])}" for thing in wanted],
        "task": "detection",
        "group": f"scene {group}",
    }


def _thought(member: int, colour: str, wanted: list[dict[str, Any]]) -> str:
    if member == 7:
        return f"The picture is noisy and it is hard to say what is {colour} and what is not."
    seen = wanted if member in (0, 1, 4, 5) else wanted[: max(1, len(wanted) // 2)]
    listed = "; ".join(f"a {colour} {thing['name']} {_side(thing['box'])}" for thing in seen) or "nothing at all"
    made_up = f" There must be another {colour} one behind the large square." if member in (3, 6) else ""
    return f"I go through the picture from left to right. I see {listed}.{made_up} The rest has other colours."


def _answer(member: int, boxes: list[list[int]], rng: random.Random) -> str:
    """What a member of a group answers: 0 all boxes, 1 none exact, 2 one left out, 3 and 6 some made up, 4 over several
    lines, 5 surer than sure, 7 a wild guess."""
    moved = [[side + rng.randrange(-1 - member, 2 + member) for side in box] for box in boxes]
    places = {0: boxes, 2: moved[:-1] or moved, 7: [[400, 100, 900, 800]]}.get(member, moved)
    made_up = [[rng.randrange(600), rng.randrange(600), 820, 880], [30, 40, 200, 260]]
    places = places + made_up[: member // 3 if member in (3, 6) else 0]
    sure = 7.0 if member == 5 else 0.95
    items = [
        {"Position": [max(0, side) for side in box], "Confidence": round(sure - 0.11 * number, 2)}
        for number, box in enumerate(places)
    ]
    gap = ",\n " if member == 4 else ", "
    return f"<answer>[{gap.join(json.dumps(item) for item in items)}]</answer>"


def _thousand(box: Sequence[float]) -> list[int]:
    return [round(1000 * side / SIZE[i % 2]) for i, side in enumerate(box)]


def _side(box: Sequence[float]) -> str:
    across = "left" if box[2] < 160 else "right" if box[0] > 320 else "middle"
    return f"on the {across}" if across != "middle" else "in the middle"
