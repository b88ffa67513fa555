"""Does a self-supervised reward on unlabelled pictures move a task that it never sees, and does the choice matter?"""

from __future__ import annotations

from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.curate.pretext import Position, Rotation
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models import tiny_encoder
from sightline.lab.worlds import quarters

ARMS = {
    "untrained": "no training",
    "position": "from which quarter a cut of 28 to 38 of its 48 pixels comes, stretched to the same size",
    "position, too easy": "the same with cuts of 45 pixels only",
    "rotation": "by how much a digit is turned: a task that does not fit the question",
}
STEPS, ITEMS, PROMPTS, HELD_OUT, RATE = 400, 2000, 64, 400, 1e-3
KINDS: dict[str, Position | Rotation] = {
    "position": Position(),
    "position, too easy": Position(share=(0.94, 0.94)),
    "rotation": Rotation(),
}


def items(arm: str, seed: int) -> list[dict[str, Any]]:
    """Self-supervised rows of an arm; pictures that make none are left out."""
    kind = KINDS[arm]
    shown = quarters.digits(ITEMS, seed) if arm == "rotation" else quarters.pictures(ITEMS, seed)
    found = [kind(picture, seed * ITEMS + number) for number, picture in enumerate(shown)]
    return [row for row in found if not isinstance(row, Missing)]


def train(policy: Any, rows: list[dict[str, Any]], answers: list[str], seed: int) -> tuple[float, float]:
    """Policy gradient on the system's reward and credit; accuracy and share of groups with a signal, last 20 steps."""
    import torch

    system = sightline.load("ssl4rl")
    group = int(system.recipe[0].settings["group size"])
    patches = tiny_encoder.patches([row["images"] for row in rows])
    optimizer = torch.optim.Adam(policy.parameters(), lr=RATE)
    rng, sampler = np.random.default_rng([seed, 2]), torch.Generator().manual_seed(seed)
    earned, signal = [], []
    for _ in range(STEPS):
        chosen = rng.choice(len(rows), PROMPTS, replace=False)
        logp = policy(patches[chosen]).log_softmax(-1)
        picks = torch.multinomial(logp.detach().exp(), group, replacement=True, generator=sampler)
        asked = [rows[i] for i in np.repeat(chosen, group)]
        said = [f"<answer>{answers[pick]}</answer>" for pick in picks.flatten().tolist()]
        columns = {name: [row[name] for row in asked] for name in ("task", "answer")}
        batch = Batch(said, columns, group=np.repeat(np.arange(PROMPTS), group))
        scores = system.reward(batch)
        advantages, _ = system.credit.assign(scores, batch)
        weight = torch.from_numpy(advantages.astype(np.float32)).view(PROMPTS, group)
        loss = -(weight * logp.gather(1, picks)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        earned.append(float(scores.values.mean()))
        signal.append(float((weight != 0).any(1).float().mean()))
    return float(np.mean(earned[-20:])), float(np.mean(signal))


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains an encoder on one task, then lets it look for digits without any further training."""
    trunk = tiny_encoder.encoder(seed)
    accuracy, signal = 0.25, 0.0
    if arm != "untrained":
        rows = items(arm, 100 + seed)
        answers = sorted({row["answer"] for row in rows}, key=_place)
        turned = arm == "rotation"
        policy = tiny_encoder.classifier(trunk, len(answers), seed) if turned else tiny_encoder.matcher(trunk)
        accuracy, signal = train(policy, rows, answers, seed)
    return {"pretext accuracy": accuracy, "signal": signal, "found": found(trunk)}


def found(trunk: Any) -> float:
    """Share of held-out questions in which the most similar quarter holds the digit that is asked for."""
    import torch

    rows = quarters.rows(HELD_OUT, 7000)
    with torch.no_grad():
        picks = tiny_encoder.matcher(trunk)(tiny_encoder.patches([row["images"] for row in rows])).argmax(1).tolist()
    return float(np.mean([quarters.PLACES[pick] == row["answer"] for pick, row in zip(picks, rows, strict=True)]))


def _place(answer: str) -> int:
    return quarters.PLACES.index(answer) if answer in quarters.PLACES else int(answer)


EXPERIMENT = Experiment(
    slug="ssl4rl",
    question="Does a self-supervised reward on unlabelled pictures move a task that it never sees?",
    setting=(
        f"Pictures of four handwritten digits. A convolutional encoder of 32x32 patches is trained by policy gradient "
        f"on items of the system's generators, scored by its reward and credited by its rule: {ITEMS} unlabelled "
        f"pictures, {STEPS} steps of {PROMPTS} prompts with 5 answers, rate {RATE:g}. Then, without further training, "
        f"it points at the quarter whose features are most like those of another scan of a digit: {HELD_OUT} held-out "
        "questions, held-out scans."
    ),
    arms=ARMS,
    figures={
        "pretext accuracy": "share of right answers to the self-supervised task, last 20 steps (untrained: chance)",
        "signal": "share of groups whose rewards differ, mean over training (untrained: none)",
        "found": "share of right answers to the question that was never trained; chance is 0.25",
    },
    claims=(
        Claim("the intrinsic reward moves the other task", "found", "position", "untrained"),
        Claim("the choice of the task decides", "found", "position", "rotation"),
        Claim("a task that does not fit hurts", "found", "rotation", "untrained", more=False),
        Claim("a matched difficulty transfers better than an easy one", "found", "position", "position, too easy"),
        Claim(
            "the easy task leaves fewer groups with a signal", "signal", "position, too easy", "position", more=False
        ),
    ),
    measure=measure,
    limits=(
        "a convolutional encoder of 30 thousand weights stands for the vision side of a model, without language.",
        "the architecture compares patches, which is what position asks for; rotation trains the same encoder through "
        "another head and on pictures of single digits, of whose upright view that head sees one quarter: the tasks "
        "differ in more than the question.",
    ),
)
