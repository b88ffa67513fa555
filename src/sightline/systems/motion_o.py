"""Motion-o: what is seen of an object ends in a tag that says how it moved, and the tag is checked against its track.

    R      = sum of all components, each in 0..1, weight 1
    r_obj  = 0.40 dir + 0.30 speed + 0.30 scale;  R_traj = mean over objects with two sightings on two annotated frames
    R_gnd  = mean over tagged objects of 0.5 dir + 0.3 speed + 0.2 scale that changed on the frozen video, or 1
    point  = mean over cited times of exp(-dt^2 / (2 sigma^2)), sigma = 4 (1 - u) while u < 3/4, then 1
    A      = (R - mean) / (std + 1e-4) over the group, sample std

Sightings read `<obj>dog</obj><box>[x1,y1,x2,y2]</box>at<t>0.5</t>s`, tags `<motion obj="dog" dir="E" speed="fast"
scale="stable"/>`. The column `task` says which components a row has. The other components come from Open-o3 Video.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.parse.motion import MotionTags, free_direction
from sightline.parse.sightings import Sightings
from sightline.rewards import Constant, Switch
from sightline.rewards.answers import Answer, rouge_mean
from sightline.rewards.motion import MotionConsistency, MotionGrounding, MotionTrajectory
from sightline.rewards.sightings import SightingFit, SightingForm, TimesNear
from sightline.rewards.timed_answers import (
    IntervalFit,
    OptionBehind,
    TaggedBoxFit,
    TimesInside,
    second_line,
    written_option,
)
from sightline.system import Extra, Stage, System

SPATIO_TEMPORAL = "temporal-spatial free-form QA"
GENERAL, GENERAL_CHOICE = "General video QA Free-form", "General video QA MCQ"
WHEN, WHEN_CHOICE, WHERE = "temporal QA", "temporal QA (MCQ)", "visual QA"
MOTION_TASKS = (SPATIO_TEMPORAL, GENERAL, GENERAL_CHOICE)
NOT_ASKED = Constant(0.0, "not asked in this task")
STEPS = 9000  # 36k rows, 4 prompts a step

RELEASED_TAGS = MotionTags(slash=False)
RELEASED_SIGHTINGS = Sightings(bad_box="keep")

answer = Switch(
    "task",
    {
        SPATIO_TEMPORAL: Answer(rouge_mean),
        GENERAL: Answer(rouge_mean),
        GENERAL_CHOICE: Answer(written_option),
        WHEN_CHOICE: Answer(OptionBehind()),
        WHEN: NOT_ASKED,
        WHERE: NOT_ASKED,
    },
).named("answer")
interval = Switch("task", {WHEN: IntervalFit(), WHEN_CHOICE: IntervalFit(read=second_line)}, otherwise=NOT_ASKED).named(
    "answer_tiou"
)
segment = Switch("task", {WHEN: TimesInside(), WHEN_CHOICE: TimesInside(read=second_line)}, otherwise=NOT_ASKED).named(
    "temporal_segment"
)
point = Switch("task", {SPATIO_TEMPORAL: TimesNear(STEPS)}, otherwise=NOT_ASKED).named("temporal_point")

box = Switch("task", {WHERE: TaggedBoxFit()}, otherwise=NOT_ASKED).named("answer_viou")
spatial = Switch("task", {SPATIO_TEMPORAL: SightingFit()}, otherwise=NOT_ASKED).named("spatial")
trajectory = Switch("task", dict.fromkeys(MOTION_TASKS, MotionTrajectory()), otherwise=NOT_ASKED).named("trajectory")
grounding = Switch("task", dict.fromkeys(MOTION_TASKS, MotionGrounding()), otherwise=NOT_ASKED).named("grounding")
form = Switch(
    "task",
    {
        SPATIO_TEMPORAL: SightingForm(objects=1, times=1, boxes=1, motions=1),
        GENERAL: SightingForm(),
        GENERAL_CHOICE: SightingForm(),
        WHEN: SightingForm(times=2),
        WHEN_CHOICE: SightingForm(times=2),
        WHERE: SightingForm(objects=1, times=1, boxes=1, or_pair=True),
    },
).named("format")

RELEASED_TRACK = MotionTrajectory(
    RELEASED_TAGS,
    RELEASED_SIGHTINGS,
    sort=False,
    settled=False,
    free_text=free_direction,
    on_break="fail",
)
official_box = Switch("task", {WHERE: TaggedBoxFit(sort=False)}, otherwise=NOT_ASKED).named("answer_viou")
official_spatial = Switch(
    "task", {SPATIO_TEMPORAL: SightingFit(RELEASED_SIGHTINGS, late=True, sort=False)}, otherwise=NOT_ASKED
).named("spatial")
official_trajectory = Switch("task", dict.fromkeys(MOTION_TASKS, RELEASED_TRACK), otherwise=NOT_ASKED).named(
    "trajectory"
)
official_grounding = Switch(
    "task", dict.fromkeys(MOTION_TASKS, MotionGrounding(RELEASED_TAGS)), otherwise=NOT_ASKED
).named("grounding")
official_form = Switch(
    "task",
    {
        SPATIO_TEMPORAL: SightingForm(
            objects=1, times=1, boxes=1, motions=1, tags=MotionTags(nameless=True), free_text=True
        ),
        GENERAL: SightingForm(),
        GENERAL_CHOICE: SightingForm(),
        WHEN: SightingForm(times=2),
        WHEN_CHOICE: SightingForm(times=2),
        WHERE: SightingForm(objects=1, times=1, boxes=1, or_pair=True),
    },
).named("format")

TRUTH = {
    "key_frames": [{"idx": 0, "time": 0.0}, {"idx": 30, "time": 1.0}],
    "key_items": {"0": {"dog": [[0.1, 0.1, 0.2, 0.2]]}, "30": {"dog": [[0.3, 0.1, 0.4, 0.2]]}},
    "image_size": [100, 100],
}
SEEN = "<obj>dog</obj><box>[10,10,20,20]</box>at<t>0</t>s <obj>dog</obj><box>[30,10,40,20]</box>at<t>1</t>s"
TAG = '<motion obj="dog" dir="E" speed="fast" scale="stable"/>'
RIGHT = f"<think>{SEEN} {TAG}</think><answer>the dog runs right</answer>"

SYSTEM = System(
    slug="motion-o",
    title="Motion-o: Trajectory-Grounded Video Reasoning",
    arxiv="2603.18856",
    year=2026,
    family="motion, times and boxes in the reasoning",
    formula=(
        "R = answer + tIoU + vIoU + temporal point + temporal segment + spatial + trajectory + grounding + format;  "
        "trajectory: 0.4 dir + 0.3 speed + 0.3 scale, half credit one bin off"
    ),
    reward=answer + interval + box + point + segment + spatial + trajectory + grounding + form,
    official=(
        answer
        + interval
        + official_box
        + point
        + segment
        + official_spatial
        + official_trajectory
        + official_grounding
        + official_form
    ),
    extras={
        "own_boxes": Extra(
            Switch("task", dict.fromkeys(MOTION_TASKS, MotionConsistency()), otherwise=NOT_ASKED),
            "agreement of each motion tag with the policy's own boxes",
        ),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "motion chain cold start",
            "sft",
            {
                "lora rank": 16,
                "lora alpha": 32,
                "lora targets": ["q_proj", "k_proj", "v_proj", "o_proj"],
                "base model": "Qwen2.5-VL-7B, trained as Open-o3 Video",
                "data": "STGR-SFT, 30k, with motion tags put in",
            },
        ),
        Stage(
            "GRPO with dense tracks",
            "grpo",
            {
                "group size": 4,
                "learning rate": 5e-7,
                "schedule": "cosine",
                "kl coefficient": 0.04,
                "clip range": 0.2,
                "clip range high": 0.2,
                "loss": "gspo",
                "temperature": 0.7,
                "top-p": 0.95,
                "max completion tokens": 768,
                "lora rank": 16,
                "lora alpha": 32,
                "lora targets": ["q_proj", "k_proj", "v_proj", "o_proj"],
                "data": "STGR-RL, 36k, with dense tracks",
            },
        ),
    ),
    columns={
        "task": f"{SPATIO_TEMPORAL}, {GENERAL}, {GENERAL_CHOICE}, {WHEN}, {WHEN_CHOICE} or {WHERE}",
        "answer": (
            "text or option letter; temporal QA: [start, end] in seconds, its MCQ: the letter and below it the "
            "interval; visual QA: <box>[x1,y1,x2,y2]</box>"
        ),
        "key_frames": "list of {idx: frame number, time: seconds}; in general QA this, items and size may be None",
        "key_items": "{frame number: {object: [[x1, y1, x2, y2], ..]}}, boxes in 0..1",
        "image_size": "width and height of the model's input, in pixels",
        "gt_motion": "{object: {dir, speed, scale}} of dense tracks; without it the matched boxes are used",
        "masked_completion": "what the policy writes, greedily, for the video frozen from the first key frame on; "
        "filled in training where `images` holds the frames and `frame_times` their seconds",
    },
    departs=(
        "names may contain /; official loses such tags, though its format reward counts them",
        "a tag without an object is no tag; official counts it in its format reward",
        "an object without a tag earns nothing; official pays 0.4 * dir + 0.15 for a word in <motion>..</motion>",
        "a sighting with a list that is not four numbers is skipped; official can lose the whole trajectory reward",
        "corners are sorted; official leaves swapped corners without area",
        "a key frame is near within 1 s both ways; official accepts any sighting that is late",
        "between two matched boxes no direction and no speed go together; official decides each on its own",
        "the released trainer hands the grounding reward nothing, so it is always 0 there; official is its arithmetic",
        "vision tokens are not suppressed while sampling; the released trainer forbids them",
        f"progress u is the training step over {STEPS}, and 0 where no step is known",
        "gt_motion should be computed in pixels (`sightline.curate.motion_tags`); official computes it in 0..1",
    ),
    specimen=(
        {"completion": RIGHT, "task": SPATIO_TEMPORAL, "answer": "the dog runs to the right", **TRUTH},
        {
            "completion": RIGHT.replace('"E"', '"W"'),
            "task": SPATIO_TEMPORAL,
            "answer": "the dog runs to the right",
            **TRUTH,
            "masked_completion": f"<think>{TAG}</think>",
        },
        {
            "completion": f"<think>{SEEN} <motion>rightward</motion></think><answer>right</answer>",
            "task": GENERAL,
            "answer": "right",
            **TRUTH,
            "gt_motion": {"dog": {"dir": "E", "speed": "fast", "scale": "stable"}},
        },
        {"completion": RIGHT.replace("the dog runs right", "(B)"), "task": GENERAL_CHOICE, "answer": "B", **TRUTH},
        {
            "completion": "<think>from <t>1</t>s to <t>9</t>s</think><answer>From <t>1</t>s to <t>9</t>s</answer>",
            "task": WHEN,
            "answer": "[1.0, 5.0]",
        },
        {
            "completion": (
                "<think><t>3</t>s <t>4</t>s</think><answer>From <t>3</t>s to <t>8</t>s. Correct Option: B</answer>"
            ),
            "task": WHEN_CHOICE,
            "answer": "B\n[3.0, 8.0]",
        },
        {"completion": "to the right", "task": SPATIO_TEMPORAL, "answer": "to the right", **TRUTH},
        {
            "completion": "<think><obj>cup</obj><box>[1,1,9,9]</box></think><answer><box>[1,1,9,9]</box></answer>",
            "task": WHERE,
            "answer": "<box>[1,1,9,8]</box>",
            "image_size": [100, 100],
        },
    ),
)
