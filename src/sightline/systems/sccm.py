"""SCCM learning: the crops of a trace, alone, must lead to the right answer, and be no larger than that takes.

    R   = r_acc + 0.5 r_s + 0.5 r_m
    r_s = 1 if the policy, shown the question and the crops and neither picture nor thoughts, gives the right answer
    r_m = r_s * (1 - u),  u = area of the union of all crops / area of the picture
    A   = (R - mean) / (std + 1e-4) over the group

A trace without a crop has r_s = r_m = 0. Both rewards are added to the recipe of a host that crops by tool calls; its
own format reward comes on top (extra `format`). How much answers depend on crops at all is measured by intervention:
`sightline.metrics.paired_tests.paired_effect` before and after crops become noise (`media.corruption.UniformNoise`) or
thoughts get a mistake (`curate.false_thoughts`). `PATIENT` lets r_m wait until r_s is earned half of the time.
Without a model in the policy's place r_s is NaN where there are crops; `with_judge` puts one there.
"""

from __future__ import annotations

from dataclasses import replace

from sightline.credit.after_average import AfterAverage
from sightline.credit.group_relative import GroupRelative
from sightline.judges.held import OwnPolicy
from sightline.judges.judge import Sampling
from sightline.judges.prompts import prompt
from sightline.parse.crop_calls import CropCalls
from sightline.parse.tags import THINK, AllBlocks, Block
from sightline.rewards.answers import Answer, SameMaths
from sightline.rewards.crop_sets import CroppedParts, UncroppedShare
from sightline.rewards.each_crop import NoneSpare, ReliableCrops
from sightline.rewards.format import Format
from sightline.rewards.look import Column, Look, NoPictures
from sightline.rewards.second_look import FoundAgain
from sightline.system import Extra, Stage, System

CROPS = CropCalls(coords="pixel")
QUESTION = Column("question", drop="<image>")
ALONE = Look(
    prompt("crops_alone").text,
    (("question", QUESTION),),
    CroppedParts(CROPS),
    sampling=Sampling(temperature=0.0, max_tokens=64),
)
SHOWN = Look(
    prompt("crop_reliability").text,
    (("question", QUESTION), ("reasoning", AllBlocks(THINK))),
    CroppedParts(CROPS),
    sampling=Sampling(temperature=0.0, max_tokens=8),
)
REPLY = Block("answer", which="last", otherwise="text")

accuracy = Answer(SameMaths(), Block("answer", which="last")).named("accuracy")
crops_alone = FoundAgain(OwnPolicy(), ALONE, compare=SameMaths(), block=REPLY, unread=0.0)
blind = replace(crops_alone, look=replace(ALONE, pictures=NoPictures()))
small = UncroppedShare(CROPS)
none_spare = NoneSpare(OwnPolicy(), ALONE, SameMaths(), REPLY)

sufficiency = crops_alone.named("sufficiency")
minimality = (crops_alone * small.when(crops_alone)).named("minimality")

PATIENT = AfterAverage("minimality", 0.5, "sufficiency", above=0.5)

CALL = '<tool_call>{{"name": "image_zoom_in_tool", "arguments": {{"bbox_2d": {}}}}}</tool_call>'
SMALL, WHOLE = CALL.format([2, 2, 6, 6]), CALL.format([10, 10, 0, 0])
PICTURE = (  # 10 x 10 pixels
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKAQAAAAClSfIQAAAAC0lEQVR42mNgwAcAAB4AAWVZnnEAAAAASUVORK5CYII="
)

SYSTEM = System(
    slug="sccm",
    title="On the Faithfulness of Visual Thinking: Measurement and Enhancement",
    arxiv="2510.23482",
    year=2025,
    family="second look at the crops alone",
    formula="R = r_acc + 0.5 r_s + 0.5 r_m;  r_s = 1[right from the crops alone],  r_m = r_s (1 - union / picture)",
    reward=accuracy + 0.5 * sufficiency + 0.5 * minimality,
    extras={
        "format": Extra(Format(), "a think block and an answer block and nothing around them: what a host may add"),
        "count_minimality": Extra(
            0.5 * none_spare.when(crops_alone),
            "r_m by leaving one out: no crop is spare; one more call per crop; use it with `minus minimality`",
        ),
        "above_blind": Extra(
            0.5 * (crops_alone - blind.when(crops_alone)).clip(0.0, 1.0),
            "r_s where the question alone does not give the answer away; use it with `minus sufficiency`",
        ),
        "reliability": Extra(
            0.0 * ReliableCrops(OwnPolicy(), SHOWN),
            "measured with weight 0: every crop shows what the think blocks say of it, as a judge sees it",
        ),
    },
    credit=GroupRelative(),
    recipe=(
        Stage(
            "SCCM learning",
            "grpo",
            {
                "base model": "a policy that crops by tool calls, such as DeepEyes or Pixel-Reasoner",
                "data": "that of the host: picture, question, answer; no annotation of regions",
            },
        ),
    ),
    columns={
        "images": "the picture; boxes are in its pixels",
        "question": "what is asked; the place of the picture, <image>, is taken out of it",
        "answer": "the right answer, a text, a number or a formula",
    },
    departs=(
        "formulas and weights of r_s and r_m are ours: the source names both and gives neither",
        "more than 16 crops count as none, for a picture in pieces is the picture; the paper has no bound",
        "crops are shown as they are cut, in the order of the calls; a host's scaling of crops is its processor's",
        "the answerer is the policy as it is when the batch is scored, greedy, asked with a prompt of ours",
        "mistakes in thoughts are made by a rule instead of a language model",
        "think block, answer block and tool call are those of DeepEyes; `CropCalls(coords=...)` names other frames",
    ),
    specimen=(
        {
            "completion": f"<think>There.</think>{SMALL}<think>A cup.</think><answer>cup</answer>",
            "images": [PICTURE],
            "question": "<image>What is there?",
            "answer": "cup",
        },
        {
            "completion": f"<think>All.</think>{WHOLE}{SMALL}<answer>3</answer>",
            "images": [PICTURE],
            "question": "How many?",
            "answer": "3",
        },
        {
            "completion": "<think>Look.</think><answer>cup</answer>",
            "images": [PICTURE],
            "question": "?",
            "answer": "cup",
        },
        {"completion": f"{SMALL}<answer>cup</answer>", "images": PICTURE, "question": "?", "answer": ["mug", "glass"]},
        {"completion": f"{SMALL}<answer>cup</answer>", "images": None, "question": "?", "answer": "cup"},
    ),
)
