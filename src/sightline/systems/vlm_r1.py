"""VLM-R1: rule-based rewards for referring expressions, open-vocabulary detection and plain questions.

    R = R_acc + R_fmt
    rec        R_acc = IoU(box scaled to the original picture, gold box)
    odLength   R_acc = min(1, gold boxes / predicted items) * mAP; without the factor the policy floods the answer
    od_ap, od_ap50, map            mAP, or AP at IoU 0.50, of the last fenced list
    weighted_sum                   (0.7 * position + 0.3 * completeness) over greedily matched boxes
    default, mcq, yes_no, math, all_match, llm      answers as text, letter, yes/no, maths, judged

The column `accu_reward_method` says which one a row is rewarded by. Cosine length and repetition are extras.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.judges.equality import EqualityJudge
from sightline.parse.choices import OptionLetter, YesNo
from sightline.parse.tags import Block, FormWith
from sightline.rewards import Constant, Switch
from sightline.rewards.answers import Answer, LooseMatch, SameChoice, SameMaths, SameYesNo, same_clean_text
from sightline.rewards.box_score import BoxScore
from sightline.rewards.format import Format
from sightline.rewards.judged_answer import JudgedAnswer
from sightline.rewards.labelled_boxes import AveragePrecision
from sightline.rewards.length import CosineLength
from sightline.rewards.one_box import ReferredBox
from sightline.rewards.repetition import Repetition
from sightline.system import Extra, Stage, System

FIRST = Block("answer", otherwise="text")
LAST = Block("answer", which="last", otherwise="text")
FOUR = r"\[\d+,\s*\d+,\s*\d+,\s*\d+\]"
RELEASED_LETTER = OptionLetter(position="first", brackets=False)

REFERRED = ReferredBox()
RELEASED_SCORE = BoxScore(overlap_above=1.0)

accuracy = Switch(
    "accu_reward_method",
    {
        "default": Answer(LooseMatch(), LAST, "solution"),
        "mcq": Answer(SameChoice(), FIRST, "solution"),
        "yes_no": Answer(SameYesNo(), FIRST, "solution"),
        "math": Answer(SameMaths(), LAST, "solution"),
        "all_match": Answer(same_clean_text, LAST, "solution"),
        "llm": JudgedAnswer(EqualityJudge(), equal_if_down=True),
        "rec": REFERRED,
        "rec_internvl": REFERRED,
        "map": AveragePrecision(block=None),
        "od_ap": AveragePrecision(),
        "od_ap50": AveragePrecision(at="50"),
        "odLength": AveragePrecision(price=True),
        "weighted_sum": BoxScore(),
    },
    default="default",
).named("accuracy")
official_accuracy = Switch(
    "accu_reward_method",
    {
        "default": Answer(LooseMatch(RELEASED_LETTER), LAST, "solution"),
        "mcq": Answer(SameChoice(RELEASED_LETTER), FIRST, "solution"),
        "yes_no": Answer(SameYesNo(YesNo("part"), neither_is_equal=True), FIRST, "solution"),
        "math": Answer(SameMaths(), LAST, "solution"),
        "all_match": Answer(same_clean_text, LAST, "solution"),
        "llm": JudgedAnswer(EqualityJudge(), equal_if_down=True),
        "rec": ReferredBox(overlap_above=1.0),
        "rec_internvl": ReferredBox(overlap_above=1.0),
        "map": AveragePrecision(block=None, lax_nothing=True),
        "od_ap": AveragePrecision(lax_nothing=True),
        "od_ap50": AveragePrecision(at="50", lax_nothing=True),
        "odLength": AveragePrecision(price=True, lax_nothing=True),
        "weighted_sum": RELEASED_SCORE,
    },
    default="default",
).named("accuracy")

format_ = Switch(
    "accu_reward_method",
    {
        "rec": Format(FormWith((r"\{", FOUR, r"\}"))),
        "rec_internvl": Format(FormWith((FOUR,))),
    },
    default="default",
    otherwise=Format(),
).named("format")
official_format = Switch(
    "accu_reward_method",
    {
        "rec": Format(FormWith((r"\{", FOUR, r"\}"), across=True)),
        "rec_internvl": Format(FormWith((FOUR,), across=True)),
    },
    default="default",
    otherwise=Format(),
).named("format")

CAT, DOG = '{"bbox_2d": [10, 10, 50, 50], "label": "cat"}', '{"bbox_2d": [60, 60, 100, 100], "label": "dog"}'
GOLD = f"<answer>```json\n[{CAT}, {DOG}]\n```</answer>"

SYSTEM = System(
    slug="vlm-r1",
    title="VLM-R1: A Stable and Generalizable R1-style Large Vision-Language Model",
    arxiv="2504.07615",
    year=2025,
    family="boxes and answers",
    formula="R = R_acc + R_fmt;  rec: IoU(b*, f(o));  odLength: min(1, L_gt / L_pred) * mAP;  others by method",
    reward=accuracy + format_,
    official=official_accuracy + official_format,
    extras={
        "cosine": Extra(
            CosineLength(BoxScore(), at_least=0.7),
            "cosine of the length: right answers fall from 1.0 to 0.5, wrong ones rise from -0.5 to 0",
            CosineLength(Constant(1.0), clamp=False),
        ),
        "repetition": Extra(Repetition(), "minus the share of repeated boxes, or of repeated word 6-grams"),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "GRPO",
            "grpo",
            {
                "group size": 8,
                "learning rate": 1e-6,
                "kl coefficient": 0.04,
                "clip range": 0.2,
                "temperature": 1.0,
                "top-p": 1.0,
                "top-k": 50,
                "epochs": 2,
                "loss": "grpo",
                "max prompt tokens": 1024,
                "max completion tokens": 2048,
            },
        ),
    ),
    columns={
        "accu_reward_method": "how the row is rewarded; without it `default`",
        "solution": "the right answer as text, with or without answer tags; for boxes a (fenced) list, or None",
        "image_size": "rec: width and height of the original picture, in pixels",
        "model_size": "rec: width and height of the picture as the model sees it, in pixels",
        "problem": "llm: the question, for the judge",
        "completion_tokens": "cosine: length of the completion in tokens",
    },
    departs=(
        "boxes overlap as soon as they share area; official asks for more than one pixel on both sides",
        "with nothing to find, only None or an empty list is right; official pays any answer without a readable box",
        "option letters in brackets count, and a letter's surroundings are its own; official measures them elsewhere",
        "yes and no are whole words and one must be said; official finds no in know",
        "cosine asks whether the answer is right, and clamps the length; official does neither",
        "the beta of open-vocabulary detection is 0: set it when the data is odLength",
    ),
    specimen=(
        {
            "completion": f"<think>Both.</think><answer>```json\n[{CAT}, {DOG}]\n```</answer>",
            "solution": GOLD,
            "accu_reward_method": "odLength",
        },
        {
            "completion": f"<think>Many.</think><answer>```json\n[{CAT}, {DOG}, {DOG}, {DOG}]\n```</answer>",
            "solution": GOLD,
            "accu_reward_method": "odLength",
        },
        {
            "completion": f"<think>One.</think><answer>```json\n[{CAT}]\n```</answer>",
            "solution": GOLD,
            "accu_reward_method": "weighted_sum",
        },
        {
            "completion": '<think>There.</think><answer>{"bbox_2d": [322, 238, 644, 476]}</answer>',
            "solution": [320, 240, 640, 480],
            "accu_reward_method": "rec",
            "image_size": [640, 480],
            "model_size": [644, 476],
        },
        {"completion": "<think>Hm.</think><answer>C.</answer>", "solution": "C", "accu_reward_method": "mcq"},
        {"completion": "<think>Hm.</think><answer>I know</answer>", "solution": "no", "accu_reward_method": "yes_no"},
        {"completion": "<answer>\\frac{1}{2}</answer>", "solution": "0.5", "accu_reward_method": "math"},
        {"completion": "<answer>Two cats.</answer>", "solution": "two cats", "accu_reward_method": "all_match"},
        {"completion": "<answer>two cats</answer>", "solution": "Two  cats", "accu_reward_method": "llm"},
        {"completion": "<answer>three dogs</answer>", "solution": "two dogs"},
    ),
)
