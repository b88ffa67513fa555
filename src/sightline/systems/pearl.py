r"""PEARL: a checklist of short questions about the picture is rolled out beside the question, and rules its learning.

    R_r = 0.9 * accuracy + 0.1 * format                      of a reply <think>..</think> \boxed{..}
    R_p = (1 / K) sum_j 1[answer_j right]                    of a reply <a1>..</a1>..<aK>..</aK>
    gate: mean R_p of the prompt > 0.01, else its reasoning learns nothing
    A_r = (R_r - mean) / (std + 1e-6) * max(mean R_p, 0.5);  A_p = (R_p - mean) / (std + 1e-6), sample std
    kept: 0.01 < mean accuracy < 0.99 or 0.01 < mean R_p < 0.99
    L   = L_clip(A_r) + 0.1 * L_clip(A_p), each a mean over the tokens of its own branch

Both kinds of rollouts are in one batch, told apart by the column `side`. `PRINTED` are the advantages without gate,
filter and the weights of the losses, `RELEASED` those of the released code; `WARM_UP` learns the checklist alone.
"""

from __future__ import annotations

from dataclasses import replace

from sightline.credit.branches import Branches, PromptWeight
from sightline.credit.group_relative import GroupRelative
from sightline.credit.prompt_gate import EitherInformative, PromptGate
from sightline.parse.last_box import LastBox
from sightline.parse.think_boxed import ThinkBoxed
from sightline.rewards.algebra import Constant
from sightline.rewards.answers import Answer
from sightline.rewards.checklist import ByOrder, Checklist
from sightline.rewards.format import Format
from sightline.rewards.of_branch import OfBranch, Within
from sightline.rewards.reward import Reward
from sightline.rewards.switch import Switch
from sightline.rewards.two_sides import TwoSides
from sightline.rewards.whole_answer import WholeAnswer
from sightline.system import Extra, Stage, System

REASON, CHECKLIST = "reason", "checklist"

accuracy = Answer(WholeAnswer(), LastBox()).named("accuracy")
reasoning = 0.9 * accuracy + 0.1 * Format(ThinkBoxed()).named("format")
perception = Checklist().named("perception")
official_perception = Checklist(pairing=ByOrder()).named("perception")

ELSEWHERE = Constant(0.0, "the other branch")
seen, official_seen = OfBranch(perception, CHECKLIST), OfBranch(official_perception, CHECKLIST)
lucky = Switch("side", {REASON: accuracy * seen.map(Within(0.0, 0.0)), CHECKLIST: ELSEWHERE}).named("lucky")
consistent = Switch("side", {REASON: accuracy * seen.map(Within(1.0, 1.0)), CHECKLIST: ELSEWHERE}).named("consistent")
official_lucky = Switch("side", {REASON: accuracy * official_seen.map(Within(0.0, 0.0)), CHECKLIST: ELSEWHERE}).named(
    "lucky"
)
official_consistent = Switch(
    "side", {REASON: accuracy * official_seen.map(Within(1.0, 1.0)), CHECKLIST: ELSEWHERE}
).named("consistent")
unpaired, official_unpaired = replace(seen, pair=None), replace(official_seen, pair=None)
stopped: Reward = unpaired.map(Within(0.0, 0.01)).named("stopped")
official_stopped: Reward = official_unpaired.map(Within(0.0, 0.01)).named("stopped")

watch = TwoSides((0.0 * lucky).fill(0.0) + (0.0 * consistent).fill(0.0) + (0.0 * stopped).fill(0.0))
official_watch = TwoSides(
    (0.0 * official_lucky).fill(0.0) + (0.0 * official_consistent).fill(0.0) + (0.0 * official_stopped).fill(0.0)
)

GROUP = GroupRelative(eps=1e-6)
WEIGHT = PromptWeight(of=CHECKLIST, on=REASON, low=0.5)
PRINTED = Branches({REASON: GROUP, CHECKLIST: GROUP}, mean="none", reweigh=(WEIGHT,))
RELEASED = replace(PRINTED, reweigh=(WEIGHT, WEIGHT))
WARM_UP = Branches({REASON: GROUP, CHECKLIST: GROUP}, {REASON: 0.0})
CREDIT = EitherInformative(
    PromptGate(replace(PRINTED, weights=((CHECKLIST, 0.1),), mean="token"), of=CHECKLIST, on=REASON, above=0.01),
    clauses=((REASON, "accuracy"), (CHECKLIST, "perception")),
)

KEY = "<a1>4</a1><a2>AB</a2><a3>60</a3>"
ROW = {"answer": "60", "probe_answer": KEY}

SYSTEM = System(
    slug="pearl",
    title="PEARL: Perceptual-Evidence Anchored Reinforced Learning for Multimodal Reasoning",
    arxiv="2511.18437",
    year=2025,
    family="a checklist of what must be seen",
    formula=(
        "R_r = 0.9 acc + 0.1 format;  R_p = right answers / K;  A_r' = A_r * max(mean R_p, 0.5) where mean R_p > 0.01, "
        "else 0;  L = L_clip(A_r') + 0.1 L_clip(A_p)"
    ),
    reward=TwoSides(Switch("side", {REASON: reasoning, CHECKLIST: perception})),
    official=TwoSides(Switch("side", {REASON: reasoning, CHECKLIST: official_perception})),
    extras={
        "watch": Extra(
            watch,
            "worth nothing, but logged: right answers without a right checklist, with a whole one, and stopped prompts",
            official_watch,
        ),
    },
    credit=CREDIT,
    recipe=(
        Stage(
            "PEARL",
            "grpo",
            {
                "group size": 5,
                "learning rate": 1e-6,
                "schedule": "constant",
                "optimizer": "adamw_torch",
                "epochs": 2,
                "kl coefficient": 0.0,
                "clip range": 0.2,
                "clip range high": 0.28,
                "dual clip": 3.0,
                "loss": "token mean",
                "temperature": 1.0,
                "top-p": 0.99,
                "max prompt tokens": 4096,
                "max completion tokens": 2048,
                "min image pixels": 200704,
                "max image pixels": 1003520,
                "rollout batch size": 384,
                "batch size": 128,
                "base model": "Qwen2.5-VL-3B/7B",
                "data": "ViRL39K, each question with a checklist by GPT-4.1 (`sightline.curate.checklists`)",
            },
        ),
    ),
    columns={
        "side": "reason or checklist: which prompt of the question a reply answers",
        "answer": "the right answer of the question",
        "probe_answer": "<a1>..</a1><a2>..</a2>, a list, or one bare answer; None or empty: there is no checklist",
        "pair": "for `watch`: number of the checklist reply that a reasoning reply is looked at with; else their mean",
    },
    departs=(
        "blocks are read by number and K is the number of questions; official pairs by order and divides by the answers"
        " given, so that the easiest question alone earns 1",
        "the only question of a checklist may be answered in \\boxed{}, as it is asked to; official always gives it 0",
        "blocks may have several lines, fractions keep their blanks; official squeezes white space and then finds no "
        "block that holds a newline",
        "the weight is max(mean R_p, 0.5), once; official applies it twice (RELEASED); the paper prints min",
        "the gate stops at mean R_p <= 0.01 as the code does; the paper stops at 0",
        "the gate is never skipped and kept prompts are not cut (skip_prob and multiple_of of PromptGate), and where "
        "none passes none learns; official skips it with 0.3, cuts to a multiple of 32, keeps all where none passes",
        "a stopped prompt still learns its checklist; its reasoning has been rolled out, the gate saves no sampling",
        "stopped and dropped prompts count in the token means, with advantage 0; official draws new prompts instead",
        "an empty checklist opens the gate with weight 1 and teaches nothing",
        "answers must be right as a whole: a number in a sentence, or one of two, is not the number",
    ),
    specimen=(
        {"completion": "<think>60.</think> \\boxed{60}", "side": REASON, "group": 0, "pair": 0, **ROW},
        {"completion": "It is \\boxed{60 cm}", "side": REASON, "group": 0, "pair": 1, **ROW},
        {"completion": "<think>60</think> \\boxed{4 or 60}", "side": REASON, "group": 0, **ROW},
        {"completion": KEY, "side": CHECKLIST, "group": 0, "pair": 0, **ROW},
        {"completion": "<a1>5</a1><a2>CD</a2>", "side": CHECKLIST, "group": 0, "pair": 1, **ROW},
        {"completion": "<a1>4</a1><a3>60\n</a3><a2>ab</a2>", "side": CHECKLIST, "group": 0, **ROW},
        {"completion": "\\boxed{\\frac{1}{2}}", "side": REASON, "group": 1, "answer": "0.5", "probe_answer": "7"},
        {"completion": "\\boxed{7}", "side": CHECKLIST, "group": 1, "answer": "0.5", "probe_answer": "7"},
        {"completion": "no idea", "side": REASON, "group": 2, "answer": "1", "probe_answer": ""},
        {"completion": "<a1>1</a1>", "side": CHECKLIST, "group": 2, "answer": "1", "probe_answer": ""},
        {"completion": "\\boxed{3}", "side": REASON, "group": 3, "answer": "3", "probe_answer": ["9"]},
        {"completion": "<a1>8</a1>", "side": CHECKLIST, "group": 3, "answer": "3", "probe_answer": ["9"]},
    ),
)
