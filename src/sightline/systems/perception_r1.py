r"""Perception-R1: pay for stating what can be seen, besides the answer.

    R   = 0.1 r_f + 0.9 r_a + 0.7 r_v + r_p
    r_f = 1 if the reply is think block and answer block with a box, each tag on its own line
    r_a = 1 if the answer is mathematically equal to the right one
    r_v = share of the listed visual facts that the reply states, as a text judge finds; not behind the accuracy
    r_p = -2 (1 - u/t), the repeated share of its 20-grams of words
    A   = (R - mean) / (std + 1e-6) over the group, sample std

Facts are listed once, from right chains of thought of a stronger model (`sightline.curate.key_facts`). Give a strong
text model as judge, 32B in the paper: a 7B one is exploited. Whether perception changed is tested on paired labels by
`sightline.metrics.paired_tests.mcnemar`.
"""

from __future__ import annotations

from sightline.credit.group_relative import GroupRelative
from sightline.parse.boxed_reply import BoxInBlock, LineOrEnd, ThinkAnswerBox
from sightline.parse.numbered_facts import FactShare
from sightline.rewards.answers import Answer, SameMaths
from sightline.rewards.format import Format
from sightline.rewards.repeated_words import RepeatedWords
from sightline.rewards.stated_facts import StatesFacts, WordsStated
from sightline.rewards.whole_outage import WholeOutage
from sightline.system import Extra, Stage, System

# the released expression for the answer crosses no line; with the newlines of the format the whole reply is compared
ONE_LINE = LineOrEnd()

format_ = 0.1 * Format(ThinkAnswerBox()).named("format")
accuracy = 0.9 * Answer(SameMaths(), BoxInBlock()).named("accuracy")
official_accuracy = 0.9 * Answer(SameMaths(), ONE_LINE).named("accuracy")
stated = StatesFacts(WordsStated()).named("perception")
official_stated = StatesFacts(WordsStated(), share=FactShare(released=True)).named("perception")
# no facts, or no judge: the term is 0, and the part says why
perception = 0.7 * stated.fill(0.0)
official_perception = 0.7 * official_stated.fill(0.0)
repetition = (2.0 * RepeatedWords(20)).named("repetition")

REPLY = "<think>\n{}\n</think>\n<answer>\nSo \\boxed{{{}}}\n</answer>"
FACTS = "<info1>AB is 5</info1>\n<info2>BC is 12</info2>\n<info3>B is a right angle</info3>"

SYSTEM = System(
    slug="perception-r1",
    title="Perception-R1: Advancing Multimodal Reasoning Capabilities of MLLMs via Visual Perception Reward",
    arxiv="2506.07218",
    year=2025,
    family="facts that the reasoning states",
    formula="R = 0.1 r_f + 0.9 r_a + 0.7 (share of visual facts stated) - 2 (repeated share of 20-grams)",
    reward=format_ + accuracy + perception + repetition,
    official=format_ + official_accuracy + official_perception + repetition,
    extras={
        "masked_perception": Extra(
            0.7 * WholeOutage(StatesFacts(WordsStated())),
            "r_v, 0 for the whole group where the judge fails on one of it; use it with `minus perception`",
            0.7 * WholeOutage(StatesFacts(WordsStated(), share=FactShare(released=True))),
        ),
    },
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage(
            "Perception-R1",
            "grpo",
            {
                "group size": 8,
                "temperature": 1.0,
                "learning rate": 1e-6,
                "weight decay": 1e-3,
                "warmup": 0.05,
                "kl coefficient": 0.0,
                "clip range": 0.2,
                "clip range high": 0.3,
                "dual clip": 3.0,
                "loss": "token mean",
                "batch size": 128,
                "epochs": 25,
                "max prompt tokens": 4096,
                "max completion tokens": 4096,
                "min image pixels": 3136,
                "max image pixels": 1806336,
                "devices": 16,
                "base model": "Qwen2.5-VL-7B",
                "data": "1,442 problems of Geometry3K with facts; judge: Qwen2.5-32B-Instruct, greedy, 512 tokens",
            },
        ),
    ),
    columns={
        "answer": "the right answer, a number or a formula",
        "visual_key_info": "the facts, <info1>..</info1> and so on, or a list of texts; empty: no perception term",
    },
    departs=(
        "the answer is the last box of the last answer block, which may span lines, or the whole block; official takes "
        "the first block that lies on one line, else the whole reply",
        "every fact has its own verdict, the share is of all facts; official counts verdicts up to the first that is "
        "missing and divides by their number, so that a judge that answers for one fact pays in full",
        "a verdict that is not finite is 0; official reads nan as 1",
        "answers above 10,000 characters are wrong; of a longer reply without such a block official compares the end",
        "the judge's prompt and its three examples are ours; the reply is fenced",
        "facts stated beside their opposites are paid in both variants: the judge is asked for presence only",
    ),
    specimen=(
        {
            "completion": REPLY.format("AB is 5, BC is 12 and B is a right angle.", "13"),
            "answer": "13",
            "visual_key_info": FACTS,
        },
        {"completion": REPLY.format("AB is 5 and BC is 11.", "16"), "answer": "13", "visual_key_info": FACTS},
        {"completion": "<think>a</think><answer>\\frac{1}{2}</answer>", "answer": "0.5", "visual_key_info": FACTS},
        {"completion": REPLY.format("AB is 5. " * 30, ""), "answer": "13", "visual_key_info": ["AB is 5"]},
        {"completion": REPLY.format("Known.", "x=14"), "answer": "14", "visual_key_info": ""},
        {"completion": "", "answer": "14", "visual_key_info": None},
    ),
)
