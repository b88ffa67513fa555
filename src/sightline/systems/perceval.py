"""Perceval: a verifier that sees the picture quotes what a reply gets wrong, and those tokens learn less.

    R      = 1[<think>..</think><answer>..</answer>, nothing else] * 1[judge: answer = truth],  answer < 1,000 chars
    A_i    = (R_i - mean) / (std + 1e-6) over the group, sample std
    m_it   = 1 where token t lies in a quoted piece of the reply
    A'_it  = A_i - alpha * m_it * |A_i|,  alpha = 0.1

The verifier answers with a list of pieces of the reply, to the letter, or that the response is correct. It is asked on
sources with `vstar` in their name, never on tests. At test time a reply is cut before its first quoted piece and
written on, up to k times (`sightline.search.truncate`). The verifier itself learns from demonstrations
(`sightline.curate.flagged_replies`), or from the extra `critic`.
"""

from __future__ import annotations

from sightline.credit.group_relative import GroupRelative
from sightline.credit.span_penalty import SpanPenalty
from sightline.judges.equality import EqualityJudge
from sightline.judges.word_flags import WordFlags
from sightline.parse.flagged import flagged_or_none
from sightline.parse.last_box import LastBox
from sightline.parse.tags import Block, FullMatch
from sightline.rewards.answers import Answer, SameMaths
from sightline.rewards.flagged import Unflagged
from sightline.rewards.format import Format
from sightline.rewards.judged_answer import JudgedAnswer
from sightline.rewards.short_answer import ShortAnswer
from sightline.rewards.source import FromSource
from sightline.rewards.span_critic import FlagsAsReference
from sightline.system import Extra, Stage, System

LAST = Block("answer", which="last", nested="inner")
form = Format(FullMatch(once=True))
official_form = Format()
right = JudgedAnswer(EqualityJudge(), LAST, column="answer")
short = ShortAnswer(1000, LAST)
verified = FromSource("vstar", lacks="test")

accuracy = right.when(short).when(form).named("accuracy")
official_accuracy = right.when(short).when(official_form).fill(0.0).named("accuracy")
unflagged = Unflagged(WordFlags(), "all").named("unflagged").when(verified)
official_unflagged = Unflagged(WordFlags(), "first", flagged_or_none).named("unflagged").when(verified)

maths = Answer(SameMaths(), LastBox())

SYSTEM = System(
    slug="perceval",
    title="Improving Vision-language Models with Perception-centric Process Reward Models",
    arxiv="2604.24583",
    year=2026,
    family="error grounding: span penalties on tokens",
    formula="R = 1[format] * 1[judge agrees];  A'_it = A_i - 0.1 * |A_i| on tokens that the verifier quotes",
    # the verifier's finding is worth nothing by itself: its marks reach the policy through the credit rule
    reward=accuracy + (0.0 * unflagged).fill(0.0),
    official=official_accuracy + (0.0 * official_unflagged).fill(0.0),
    extras={
        "maths": Extra(
            1.2 * maths + 0.4 * (form - 1.0),
            "of mathematical sources, alone: 1.2 * right + 0.4 * {-1, 0}",
            1.2 * maths + 0.4 * (official_form - 1.0),
        ),
        "critic": Extra(
            FlagsAsReference(FullMatch(once=True)),
            "for training the verifier, alone: IoU of the tokens it flags with those of the reference",
            FlagsAsReference(),
        ),
    },
    credit=SpanPenalty(0.1, GroupRelative(eps=1e-6, keep_lone=True)),
    recipe=(
        Stage(
            "GRPO with span penalties",
            "grpo",
            {
                "group size": 8,
                "temperature": 1.0,
                "test temperature": 0.0,
                "rollout batch size": 128,
                "batch size": 32,
                "learning rate": 1e-6,
                "clip range": 0.2,
                "clip range high": 0.28,
                "kl coefficient": 0.01,
                "max completion tokens": 4000,
                "epochs": 10,
                "base model": "Qwen2.5-VL-3B and 7B",
                "data": "DeepEyes (visual search) and SophiaVL-R1",
            },
        ),
    ),
    columns={
        "answer": "the right answer",
        "problem": "what was asked, for both judges",
        "images": "the pictures, shown to the verifier if they are there",
        "data_source": "where the row comes from; the verifier is asked if `vstar` is in it and `test` is not",
        "original_response": "extra critic: the reply that the verifier in training has checked",
        "reference_spans": "extra critic: list of the pieces of it that are wrong, to the letter",
    },
    departs=(
        "every occurrence of a quoted piece is penalised; official only the first, so a repetition keeps its credit",
        "no tag may occur twice; official accepts several answer blocks and judges the last",
        "a judge of answers that fails is NaN; official counts 0",
        "a verifier's reply that cannot be read is NaN in the part `unflagged`; in both variants it flags nothing",
        "places are mapped through the sampled tokens' own characters; official tokenises the decoded text again",
        "answers are compared by one greedy judge; official samples it with seven examples (temperature 0.3), and asks "
        "with another prompt for sources of reasoning, with 8 tries (0.5)",
        "the verifier has no zoom tool",
        "`floor` of the credit rule penalises flagged tokens also in groups whose rewards are all equal; 0 here",
    ),
    specimen=(
        {
            "completion": "<think>The red cup is left. So B.</think><answer>B</answer>",
            "answer": "B",
            "problem": "Where is the cup?",
            "data_source": "vstar_attr",
            "original_response": "A cup.",
            "reference_spans": [],
            "group": 0,
        },
        {
            "completion": "<think>A unicorn. I see a unicorn.</think> <answer>B</answer>",
            "answer": "B",
            "problem": "Where is the cup?",
            "data_source": "vstar_attr",
            "original_response": "A red cup.",
            "reference_spans": ["red cup"],
            "group": 0,
        },
        {
            "completion": "<think>A unicorn.</think><answer>C</answer>",
            "answer": "B",
            "problem": "Where is the cup?",
            "data_source": "chartqa",
            "original_response": "A red cup.",
            "reference_spans": ["A"],
            "group": 1,
        },
        {
            "completion": "<think>a</think><answer>B</answer><answer>B</answer>",
            "answer": "B",
            "problem": "Where?",
            "data_source": "vstar_test",
            "original_response": "",
            "reference_spans": [],
            "group": 1,
        },
        {
            "completion": "B, dragon",
            "answer": "B",
            "problem": "Where?",
            "data_source": "vstar_pos",
            "original_response": "B",
            "reference_spans": ["B"],
            "group": 1,
        },
    ),
)
