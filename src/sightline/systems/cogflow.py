"""CogFlow: a diagram is seen, what was seen is taken over, and only then reasoned with; all three are rewarded.

    R        = R_SynVRs + R_IntlzR + R_InfR,   R_SynVRs = 0.6 S_VPR + 0.4 S_VSR,   R_InfR = accuracy + format
    S_VPR    = exp(-mean distance of matched primitives) * F1, points and circles by coordinates, lines as (a, b, c)
    S_VSR    = (1 + cos(phi(drawn), phi(true))) / 2 of an image encoder
    R_IntlzR = mean over the steps of the reasoning of p(true to what was seen)
    A        = (R - mean) / (std + 1e-6) over the group, sample std

A reply is <WATCHING>Point: .. Line: .. Circle: ..</WATCHING> <THINKING>..</THINKING> <ANSWER>..</ANSWER>. Perceptions
are drawn again until one is good enough, three at most (`sightline.search.first_good`). The judge of steps is trained
with `sightline.metrics.softmax_preference`, one right reasoning against five with one error each. The share of steps
that rest on what was seen (drift precision) is `sightline.metrics.grounded_share`.
"""

from __future__ import annotations

from sightline.credit.group_relative import GroupRelative
from sightline.judges.colours import ColourEmbedder
from sightline.judges.lexical import LexicalJudge
from sightline.parse.tags import Block, FullMatch
from sightline.parse.trimmed import Trimmed
from sightline.rewards.answers import Answer
from sightline.rewards.faithful_steps import FaithfulSteps
from sightline.rewards.format import Format
from sightline.rewards.primitives import DrawnAlike, PrimitiveFit
from sightline.rewards.whole_answer import WholeAnswer
from sightline.system import Extra, Stage, System

ENCODER, STEP_JUDGE = ColourEmbedder(), LexicalJudge()
ALPHA = 0.6

vpr, official_vpr = PrimitiveFit().named("vpr"), PrimitiveFit(complete=False).named("vpr")
vsr = DrawnAlike(ENCODER).named("vsr")
internalised = FaithfulSteps(STEP_JUDGE).named("internalised")
accuracy = Answer(WholeAnswer(), Block("ANSWER")).named("accuracy")
format_ = Format(Trimmed(FullMatch(("WATCHING", "THINKING", "ANSWER"), once=True))).named("format")
synvrs, official_synvrs = ((ALPHA * one + (1 - ALPHA) * vsr).named("synvrs") for one in (vpr, official_vpr))
rest = internalised + (accuracy + format_).named("inferred")

GOLD = "Point: A: (0, 0) B: (3, 4) Line: (0, 0) -- (3, 4) Circle: (0, 0, 5)"
ROW = {"primitives": GOLD, "answer": "5"}
THOUGHT = "<THINKING>A is the centre.\nSo AB is a radius.</THINKING>"

SYSTEM = System(
    slug="cogflow",
    title=(
        "CogFlow: Bridging Perception and Reasoning through Knowledge Internalization for Visual Mathematical Problem "
        "Solving"
    ),
    arxiv="2601.01874",
    year=2026,
    family="primitives of a diagram, seen and kept",
    formula="R = 0.6 VPR + 0.4 VSR + IntlzR + accuracy + format;  VPR = exp(-mean matched distance) * F1",
    reward=synvrs + rest,
    official=official_synvrs + rest,
    extras={
        "gate": Extra(
            PrimitiveFit() + DrawnAlike(ENCODER),
            "VPR + VSR (0..2), what a perception must have 1.2 of before anything is reasoned with it in training",
            PrimitiveFit(complete=False) + DrawnAlike(ENCODER),
        ),
        "gate_at_inference": Extra(
            DrawnAlike(ENCODER, picture="image"),
            "VSR of the drawing and the picture itself (0..1), bar 0.6: no truth is needed",
        ),
    },
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage(
            "supervised fine-tuning",
            "sft",
            {
                "learning rate": 1e-5,
                "batch size": 64,
                "schedule": "cosine",
                "weight decay": 0.01,
                "epochs": 2,
                "base model": "Qwen2.5-VL-7B, nothing frozen",
                "data": "MathCog, 100k of 121,730 problems with primitives",
            },
        ),
        Stage(
            "visual-gated policy optimisation",
            "grpo",
            {
                "group size": 8,
                "learning rate": 1e-6,
                "batch size": 16,
                "epochs": 1,
                "kl coefficient": 0.001,
                "data": "MathCog, 10k problems",
            },
        ),
    ),
    columns={
        "primitives": "the true ones in the form of the reply: `Point: A: (x, y) .. Line: (x, y) -- (x, y) .. Circle: "
        "(x, y, r)`, -10..10 over the picture, y down (`Primitives.of_pixels`)",
        "answer": "the right answer",
        "image": "the picture itself, for `gate_at_inference`",
    },
    departs=(
        "VPR is multiplied by F1 of the matched primitives; official, as printed, ignores those that are not matched, "
        "so that one right point earns 1",
        "two lines are as far as the nearer of both signs of (a, b, c); the paper gives no rule",
        "a class that one side lacks costs 1 a primitive, in the logged cost only; the paper prints no prices",
        "the truth is drawn from its primitives, by the same pen, for VSR",
        "IntlzR is the judge's chance of yes for every step, its mean over steps; the paper speaks both of an implicit "
        "preference score and of a number read off a hidden state, of which p is the sigmoid",
        "the bars of the gate, 1.2 in training and 0.6 at inference, are ours: the paper prints none",
        "gated perceptions are drawn before the rollouts are scored (`VisualGate`); the trainer itself draws every "
        "reply once",
        "the ratio of the loss is TRL's, by tokens; the paper prints that of whole replies",
        "answers must be right as a whole: a number in a sentence, or one of two, is not the number",
        "two epochs of fine-tuning, as the text says; the table says 1",
        "a reasoning is not judged where nothing was listed as seen, or where it has no step: IntlzR is 0",
        "the judge of steps is no stage here: in the paper Qwen2.5-VL-3B, Softmax-DPO with beta 1 on 10k right and 50k "
        "wrong reasonings, one of each error, learning rate 7e-6, batches of 64, 3 epochs; `softmax_preference_loss` "
        "is the loss",
        "judges are values: without others, colours and words are counted, which needs no model; the paper has FG-CLIP "
        "ViT-L/14 in the place of `ENCODER` and a trained Qwen2.5-VL-3B in that of `STEP_JUDGE`",
    ),
    specimen=(
        {"completion": f"<WATCHING>{GOLD}</WATCHING>\n{THOUGHT}\n<ANSWER>5</ANSWER>", **ROW},
        {"completion": f"<WATCHING>Point: (0, 0)</WATCHING>{THOUGHT}<ANSWER>5 or 6</ANSWER>", **ROW},
        {"completion": f"<WATCHING>Line: (0, 9) -- (1, 9)</WATCHING>{THOUGHT}<ANSWER>4</ANSWER>", **ROW},
        {"completion": f"<WATCHING>a circle</WATCHING>{THOUGHT}<ANSWER>5</ANSWER>", **ROW},
        {"completion": f"{THOUGHT}<ANSWER>5.0</ANSWER>", **ROW},
        {"completion": "5", **ROW},
        {"completion": f"<WATCHING>{GOLD}</WATCHING>{THOUGHT}<ANSWER>5</ANSWER>", "primitives": "", "answer": "5"},
    ),
)
