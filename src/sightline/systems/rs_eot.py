r"""RS-EoT: ask one visual question after the other, on remote-sensing pictures; first grounding, then statements.

    grounding  R = 0.9 (IoU - E) / (1 - E) + 0.1 format      E: what a shortcut would get; not clipped
    vqa        R = 0.9 (1 - 1/N sum |y_i - said_i|) + 0.1 format; nothing readable: 0
    counting   R = 0.9 (1 - (e^|x-k| - 1) / (e^|k| - 1)) + 0.1 format

The cold start is written by self-play of a reasoner that cannot see, a perceiver that does not know the task, and a
verifier (`sightline.curate.self_play`); statements are made true or false by `sightline.curate.falsified`. Boxes are in
0..1000. The column `task` says which reward a row has.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.metrics.calibration import LateRise, linear_count_closeness
from sightline.parse.keyed_box import FindKeyedBox
from sightline.rewards import Switch
from sightline.rewards.above_shortcut import BoxAboveShortcut, KeyedBoxForm
from sightline.rewards.boxed_count import BoxedCount, ThinkThenBoxed
from sightline.rewards.option_set import OptionSet, OptionSetAboveGuessing, OptionSetForm
from sightline.rewards.reward import Reward
from sightline.system import Extra, Stage, System

RELEASED = FindKeyedBox(quoted_early=False)
SHARP, SLIPPED = LateRise(5.0), LateRise(5.0, slip=True)


def weighed(accuracy: Reward, format_: Reward) -> Reward:
    """0.9 of being right and 0.1 of the form."""
    return 0.9 * accuracy.named("accuracy") + 0.1 * format_.named("format")


vqa = weighed(OptionSet(), OptionSetForm())
counting = weighed(BoxedCount(), ThinkThenBoxed())

BOX = [100, 100, 300, 300]

GRPO = {
    "group size": 4,
    "epochs": 2,
    "learning rate": 1e-6,
    "batch size": 512,
    "kl coefficient": 0.01,
    "temperature": 1.0,
    "max completion tokens": 4096,
}

SYSTEM = System(
    slug="rs-eot",
    title="Asking like Socrates: Socrates helps VLMs understand remote sensing images",
    arxiv="2511.22396",
    year=2025,
    family="evidence of thought",
    formula=(
        "grounding: 0.9 (IoU - E)/(1 - E) + 0.1 format; vqa: 0.9 (1 - Hamming/N) + 0.1 format; "
        "counting: 0.9 (1 - (e^|x-k| - 1)/(e^|k| - 1)) + 0.1 format"
    ),
    reward=Switch("task", {"grounding": weighed(BoxAboveShortcut(), KeyedBoxForm()), "vqa": vqa, "counting": counting}),
    official=Switch(
        "task",
        {
            "grounding": weighed(BoxAboveShortcut(RELEASED), KeyedBoxForm(RELEASED)),
            "vqa": vqa,
            "counting": counting,
        },
    ),
    extras={
        "sharp_box": Extra(
            BoxAboveShortcut(grade=SHARP),
            "the box graded late, (e^(5 IoU) - 1)/(e^5 - 1); released with a misplaced bracket",
            BoxAboveShortcut(RELEASED, grade=SLIPPED),
        ),
        "box": Extra(
            BoxAboveShortcut(),
            "the box without the format; one released variant subtracts E, then overwrites the result by the IoU",
            BoxAboveShortcut(RELEASED, above=False),
        ),
        "above_guessing": Extra(
            OptionSetAboveGuessing(), "the set of statements graded late and above what coin flips earn, k = 5"
        ),
        "linear_count": Extra(BoxedCount(linear_count_closeness), "max(0, 1 - |x - k| / max(k, 1)) for counts"),
    },
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage(
            "RS-EoT-4K",
            "sft",
            {"epochs": 5, "learning rate": 3e-5, "base model": "Qwen2.5-VL-7B", "data": "some 4,000 self-play traces"},
        ),
        Stage(
            "grounding",
            "grpo",
            {
                **GRPO,
                "rows": {"task": ["grounding"]},
                "base model": "the result of RS-EoT-4K",
                "data": "DIOR-RSVG, VRSBench",
            },
        ),
        Stage(
            "set VQA",
            "grpo",
            {
                **GRPO,
                "rows": {"task": ["vqa"]},
                "base model": "the result of grounding",
                "data": "5 to 12 question-answer pairs of one picture as statements",
            },
        ),
    ),
    columns={
        "task": "grounding, vqa or counting",
        "solution": (
            "grounding: {'bbox': [x1, y1, x2, y2] in 0..1000, 'E': 0..1, by default 0}; vqa: for each option whether "
            "it is true; counting: the number"
        ),
    },
    departs=(
        "a quoted key before the closing think tag halves the format too; official looks for bare keys there",
        "E may be missing and is 0 then; the released file raises",
        "the late grade has its bracket in the right place",
        "answers, weights and parse order of the set of statements are ours: the released code lacks that file",
    ),
    specimen=(
        {
            "completion": f'<think>t</think>{{"bbox": {BOX}}}',
            "task": "grounding",
            "solution": {"bbox": BOX, "E": 0.5},
        },
        {"completion": "<think>t</think>[400, 300, 200, 100]", "task": "grounding", "solution": {"bbox": BOX}},
        {
            "completion": f'{{"bbox": {BOX}}}<think></think> done',
            "task": "grounding",
            "solution": {"bbox": BOX, "E": 1},
        },
        {
            "completion": '<think>t</think>{"answer": ["A", "C"]}',
            "task": "vqa",
            "solution": [True, False, True, True, False],
        },
        {"completion": "Answer: none", "task": "vqa", "solution": [False, True]},
        {"completion": "<think>t</think>no idea", "task": "vqa", "solution": [False, True]},
        {"completion": "<think>t</think>\\boxed{4}", "task": "counting", "solution": 5},
        {"completion": "\\boxed{five}", "task": "counting", "solution": 5},
    ),
)
