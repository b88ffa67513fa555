"""A system of your own: a reward in both variants, its credit rule, its recipe, its vectors."""

from __future__ import annotations

from own_reward import PointsAt

from sightline import Stage, System
from sightline.credit import GroupRelative
from sightline.rewards.format import Format

aim = PointsAt().named("aim")
form = Format().named("format")

SYSTEM = System(
    slug="points",
    title="Pointing at objects",
    arxiv="none",
    year=2026,
    family="points",
    formula="strict: R = aim + 0.5 * 1[aim > 0] * format;  official: R = aim + 0.5 * format",
    reward=aim + (0.5 * form).when(aim),
    official=aim + 0.5 * form,
    credit=GroupRelative(eps=1e-4),
    recipe=(Stage("GRPO", "grpo", {"group size": 8, "learning rate": 1e-6, "kl coefficient": 0.04}),),
    columns={"box": "the gold box, xyxy in pixels; None if there is nothing to point at"},
    departs=("form earns only where the point is right; official pays an empty template 0.5",),
    specimen=(
        {"completion": "<think>There.</think><answer>(30, 20)</answer>", "box": [20, 10, 40, 30]},
        {"completion": "<think></think><answer></answer>", "box": [20, 10, 40, 30]},
    ),
)

# --8<-- [start:vectors]
EMPTY = [{"completion": "<think>a</think><answer>b</answer>", "box": [20, 10, 40, 30]}]
VECTORS = [
    {"what": "an empty template", "source": "by hand", "variant": "official", "rows": EMPTY, "reward": [0.5]},
    {"what": "an empty template", "source": "by hand", "variant": "strict", "rows": EMPTY, "reward": [0.0]},
]
# --8<-- [end:vectors]
