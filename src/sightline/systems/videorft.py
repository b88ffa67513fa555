"""VideoRFT: GRPO in which a right answer earns more if its reasoning describes the video.

    R   = R_f + R_a + 1[R_a > 0] R_s + R_len
    R_a by `problem_type`: exact option, equal number, 1 - WER, mean ROUGE, or 1 - relative error
    R_f = 1 if the completion is a think block and an answer block and nothing else
    R_s = min(1, 2 max(0, cos(t, v))), t: what stands behind the first sentence of the think block, v: mean frame
    R_len = 0.2 if R_a > 0.1, 320 to 512 tokens, and at least two of the group have R_a > 0.1
    A   = (R - mean) / (std + 1e-4) over the group, sample std

The chains of the cold start are written without the video and corrected with it (`sightline.curate.chains`). Give an
encoder of texts and pictures as judge, SigLIP in the paper (`DualEncoder`); the default only counts colours. Pictures
reach it as they are; the released video path shows it colour-inverted frames, and so does `official`.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.judges.colours import ColourEmbedder
from sightline.media.degrade import wrapped_negative
from sightline.metrics.embeddings import pooled_embedding, pooled_score
from sightline.parse.description import Description
from sightline.rewards import Constant, Switch
from sightline.rewards.answers import Answer, SameNumber, number_closeness, rouge_mean, same_text, word_accuracy
from sightline.rewards.format import Format
from sightline.rewards.length import TokensWithin
from sightline.rewards.said import Said, exact_or_close
from sightline.rewards.video_text import DescribesPictures
from sightline.system import Extra, Stage, System

KINDS = {
    "multiple choice": Answer(Said(same_text)),
    "numerical": Answer(SameNumber(same_style=True)),
    "OCR": Answer(Said(word_accuracy)),
    "free-form": Answer(rouge_mean),
}
UNKNOWN = Constant(0.0, "unknown problem type")

accuracy = Switch("problem_type", {**KINDS, "regression": Answer(exact_or_close)}, otherwise=UNKNOWN).named("accuracy")
official_accuracy = Switch("problem_type", {**KINDS, "regression": Answer(number_closeness)}, otherwise=UNKNOWN).named(
    "accuracy"
)
format_ = Format().named("format")

semantic = DescribesPictures(ColourEmbedder(), weight=2.0, pool=pooled_embedding).named("semantic")
official_semantic = DescribesPictures(
    ColourEmbedder(),
    weight=2.0,
    pool=pooled_score,
    describe=Description(fallback=False),
    empty="embed",
    video_as=wrapped_negative,
).named("semantic")
short = 0.2 * TokensWithin(320, 512)

SYSTEM = System(
    slug="videorft",
    title="VideoRFT: Incentivizing Video Reasoning Capability in MLLMs via Reinforced Fine-Tuning",
    arxiv="2505.12434",
    year=2025,
    family="agreement of reasoning and video",
    formula="R = R_f + R_a + 1[R_a > 0] R_s + R_len,  R_s = min(1, 2 max(0, cos(text, video)))",
    reward=(
        format_
        + accuracy
        + semantic.when(accuracy)
        + short.when(accuracy, above=0.1).when(accuracy.group_count(above=0.1), above=1).named("length")
    ),
    official=(
        format_
        + official_accuracy
        + official_semantic.when(official_accuracy)
        + short.when(official_accuracy, above=0.1)
        .when(official_accuracy.group_count(above=0.1), above=1)
        .named("length")
    ),
    extras={
        "ungated_semantic": Extra(
            DescribesPictures(ColourEmbedder()), "R_s whether or not the answer is right: the paper's ablation"
        ),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "cold start",
            "sft",
            {
                "epochs": 1,
                "learning rate": 1e-6,
                "batch size": 16,
                "frames": 16,
                "max image pixels": 100352,
                "base model": "Qwen2.5-VL-7B, also 3B",
                "data": "102,000 chains, written by a reasoner, corrected by Qwen2.5-VL",
            },
        ),
        Stage(
            "GRPO with semantic consistency",
            "grpo",
            {
                "group size": 8,
                "steps": 1000,
                "learning rate": 1e-6,
                "schedule": "cosine",
                "weight decay": 0.01,
                "kl coefficient": 0.04,
                "max gradient norm": 5.0,
                "loss": "grpo",
                "updates per batch": 1,
                "temperature": 1.0,
                "max prompt tokens": 16384,
                "max completion tokens": 1024,
                "frames": 16,
                "test frames": 32,
                "test image pixels": 200704,
                "test temperature": 0.1,
                "test top-p": 0.001,
                "max image pixels": 100352,
                "data": "310,000 questions on videos and images; similarity by SigLIP so400m-patch14-384",
            },
        ),
    ),
    columns={
        "problem_type": "multiple choice, numerical, OCR, free-form or regression; anything else earns no accuracy",
        "answer": "the right answer, with or without answer tags",
        "images": "frames or their embeddings, listed or stacked; a path or bytes of a video where data_type is video",
        "data_type": "image or video",
        "completion_tokens": "length of the completion in tokens",
    },
    departs=(
        "an equal number is right, also 0 for 0; official gives 0 there",
        "frames are averaged before they are compared, as the paper has it; official averages capped scores",
        "a period between digits ends no sentence, a one-sentence chain is its own description; official cuts both",
        "a description without a letter or digit earns nothing; official embeds whatever is left",
        "the encoder sees frames of a video in their own colours; official complements them, (256 - v) mod 256",
        "the exponent of the KL term is not cut at -10 and 10: TRL has no such bound",
        "an encoder that fails makes the rollout unscorable; pictures that cannot be read make R_s 0 in both variants",
    ),
    specimen=(
        {
            "completion": "<think>Let me look. A red wall.</think><answer>B</answer>",
            "problem_type": "multiple choice",
            "answer": "B",
            "images": [[0, 0, 0.9, 0, 0.1, 0, 0, 0.4]],
            "completion_tokens": 400,
            "group": 0,
        },
        {
            "completion": "<think>At 3.5 seconds it is blue.</think><answer>B</answer>",
            "problem_type": "multiple choice",
            "answer": "B",
            "images": [[0, 0, 0.9, 0, 0.1, 0, 0, 0.4]],
            "completion_tokens": 320,
            "group": 0,
        },
        {
            "completion": "<think>Let me look. A red wall.</think><answer>A</answer>",
            "problem_type": "multiple choice",
            "answer": "B",
            "images": [[0, 0, 0.9, 0, 0.1, 0, 0, 0.4]],
            "completion_tokens": 400,
            "group": 0,
        },
        {
            "completion": "red <answer>0</answer>",
            "problem_type": "regression",
            "answer": "0",
            "images": [[0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0]],
            "completion_tokens": 10,
            "group": 1,
        },
        {
            "completion": "<think>?</think><answer>the quick fox</answer>",
            "problem_type": "OCR",
            "answer": "the quick brown fox",
            "images": ["/nowhere/a.png"],
            "data_type": "image",
            "completion_tokens": 512,
            "group": 2,
        },
        {
            "completion": "<think>A man. A red door.</think><answer>the man opens the door</answer>",
            "problem_type": "free-form",
            "answer": "a man opened the door",
            "images": "/nowhere/a.mp4",
            "data_type": "video",
            "completion_tokens": 512,
            "group": 2,
        },
        {
            "completion": "<think>Counting.</think><answer>3.141</answer>",
            "problem_type": "numerical",
            "answer": 3.14,
            "images": [[1, 1, 1, 1, 1, 1, 1, 1]],
            "completion_tokens": 600,
            "group": 3,
        },
        {
            "completion": "<think>Verse.</think><answer>ode</answer>",
            "problem_type": "poem",
            "answer": "ode",
            "images": [[1, 1, 1, 1, 1, 1, 1, 1]],
            "completion_tokens": 600,
            "group": 3,
        },
    ),
)
