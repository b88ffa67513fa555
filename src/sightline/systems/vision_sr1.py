r"""Vision-SR1: a description of the picture is good if the policy can answer from it alone.

    R = 0.9 r_ans + 0.1 r_fmt + r_vis
    r_ans = 1 if the last \boxed{} of the reply is mathematically equal to the answer
    r_fmt = 1 if the reply is <description>..</description> <think>..</think> \boxed{..} and nothing else
    r_vis = 1 if the same policy, asked once more with the description and the question and without the picture, boxes
            the right answer; a reply without a description is not asked about
    A     = (R - mean) / (std + 1e-6) over the group, sample std

The later objective, `DECOUPLED`: tokens of the description have the advantage of r_vis, all others that of r_ans, both
halved. Without a model in the policy's place the second pass cannot be made and r_vis is NaN; `with_judge` puts one
there, the policy itself or an outside reader (the ablation).
"""

from __future__ import annotations

from dataclasses import replace

from sightline.credit.by_segment import BySegment
from sightline.credit.group_relative import GroupRelative
from sightline.judges.held import OwnPolicy
from sightline.judges.judge import Sampling
from sightline.judges.prompts import prompt
from sightline.parse.described_box import DescribedBox
from sightline.parse.maths import Boxed
from sightline.parse.presence import NotBlank, OrElse
from sightline.parse.tags import Block
from sightline.rewards.answers import Answer, SameMaths
from sightline.rewards.format import Format, HasForm
from sightline.rewards.kept_back import KeepsAnswerBack
from sightline.rewards.look import Column, Look, NoPictures
from sightline.rewards.second_look import FoundAgain
from sightline.system import Extra, Stage, System

DESCRIPTION = Block("description")
QUESTION = Column("question", drop="<image>")
READ = Look(
    prompt("read_description").text,
    (("description", NotBlank(DESCRIPTION)), ("question", QUESTION)),
    NoPictures(),
    sampling=Sampling(temperature=1.0, top_p=0.99, max_tokens=2048),
)
# the released code reads a reply without a description block as one, and the word None where it finds no box
RELEASED_READ = replace(READ, places=(("description", Block("description", otherwise="text")), ("question", QUESTION)))

accuracy = Answer(SameMaths(), Boxed()).named("accuracy")
format_ = Format(DescribedBox()).named("format")
description = FoundAgain(OwnPolicy(), READ, compare=SameMaths(), block=Boxed(), unread=0.0)

official_accuracy = Answer(SameMaths(), Boxed(), absent="None").named("accuracy")
official_format = Format(DescribedBox(balanced=False, squeeze=True)).named("format")
official_description = FoundAgain(
    OwnPolicy(), RELEASED_READ, compare=SameMaths(), block=OrElse(Boxed(), "None"), unread=0.0
)

DECOUPLED = BySegment("description", "accuracy", DESCRIPTION, weight=0.5, within=GroupRelative(eps=1e-6))

SYSTEM = System(
    slug="vision-sr1",
    title="Self-Rewarding Vision-Language Model via Reasoning Decomposition",
    arxiv="2508.19652",
    year=2025,
    family="second look at the description alone",
    formula="R = 0.9 r_ans + 0.1 r_fmt + r_vis;  r_vis = 1[the policy is right from its own description, no picture]",
    reward=0.9 * accuracy + 0.1 * format_ + description.named("description"),
    official=0.9 * official_accuracy + 0.1 * official_format + official_description.named("description"),
    extras={
        "guarded_description": Extra(
            description.when(KeepsAnswerBack(NotBlank(DESCRIPTION))),
            "r_vis, 0 for a description that states the answer; use it with `minus description`",
        ),
        "averaged_description": Extra(
            replace(description, look=replace(READ, votes=4)),
            "r_vis as the mean over four second passes, less noisy than one; use it with `minus description`",
        ),
        "second_format": Extra(
            0.0 * replace(description, compare=HasForm(DescribedBox()), block=str),
            "logged with weight 0: the form of the second pass, which has no description to write",
        ),
    },
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage(
            "cold start",
            "sft",
            {
                "epochs": 3,
                "base model": "Qwen2.5-VL-3B or 7B, Mimo-VL-7B",
                "data": "about 9,000 questions in three views: picture to description, thought and answer; picture to "
                "thought and answer; description without picture to thought and answer. Only descriptions from which "
                "a verifier can answer are kept",
            },
        ),
        Stage(
            "Vision-SR1",
            "grpo",
            {
                "group size": 8,
                "temperature": 1.0,
                "top-p": 0.99,
                "learning rate": 1e-6,
                "weight decay": 0.01,
                "kl coefficient": 0.01,
                "rollout batch size": 512,
                "batch size": 128,
                "max completion tokens": 2048,
                "min image pixels": 262144,
                "max image pixels": 4194304,
                "epochs": 1,
                "test temperature": 0.0,
                "data": "47,000 questions from 23 sources: mathematics 30.5 %, science 30 %, general 39.5 %",
            },
        ),
    ),
    columns={
        "answer": "the right answer, a text, a number or a formula",
        "question": "what is asked; the place of the picture, <image>, is taken out of it",
    },
    departs=(
        "without a closed description block, or with a blank one, r_vis is 0 and nobody is asked; official shows the "
        "whole reply, answer included",
        "a pass without a box is wrong; official compares the word None with the right answer",
        "the box of the format ends the reply with its own brace; official accepts any closing brace at the end, and "
        "takes white space around < > and / out first",
        "the description is fenced and set into the prompt in one pass; the release replaces text, so that a "
        "description with the place of the question in it would be expanded",
        "equal descriptions of one question are read once, by one sample",
        "the loss's KL term is TRL's estimate; the separate KL terms of the decoupled objective are not there",
        "the release grades raw descriptions where an outside reader is asked; here that reader makes the second pass",
    ),
    specimen=(
        {
            "completion": "<description>Two cups.</description><think>Two.</think>\\boxed{2}",
            "question": "<image>How many cups?",
            "answer": "2",
        },
        {
            "completion": "<description>Cups.</description>\n<think>Some.</think>\n\\boxed{5}",
            "question": "<image>How many cups?",
            "answer": "2",
        },
        {"completion": "<think>Two.</think>\\boxed{2}", "question": "How many cups?", "answer": "2"},
        {
            "completion": "<description>A half.</description><think>t</think>\\boxed{\\frac{1}{2}} so.",
            "question": "Which share?",
            "answer": "0.5",
        },
        {
            "completion": "<description> </description><think>t</think>None",
            "question": "Which?",
            "answer": ["None", "nothing"],
        },
    ),
)
