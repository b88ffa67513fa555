"""ARMed: a semantic reward for open-ended answers that is kept from collapsing by a scale that follows its history.

    R     = w_t r_text + w_s r_sem + w_f r_fmt,  all weights 1
    r_text = (BLEU-1 + ROUGE-1 F) / 2 of the answer
    r_sem  = 1 / (1 + exp(-k (s - theta))),  s = encoder similarity in [0, 1]
             theta = median(H),  k = 2 ln 9 / max(Q.9(H) - Q.1(H), 1e-3);  s itself while |H| < 64
    H      = the last 1,024 s, updated once per batch behind the mapping
    r_fmt  = 1 if every tag is there once, in order
    A      = (R - mean) / (std + 1e-6) over the group, sample std

H is the state of the credit rule, which maps the part `similarity` in place of `semantic`; checkpoints keep it. The
reward itself remembers nothing: it maps against the column `recent_scores` where the data has one, else r_sem = s. Give
a biomedical encoder as judge (`SentenceEmbedder`); the default only counts words.

GRPO divides by the group's deviation, so any affine change of a single reward cancels: with r_sem alone the map does
little. It matters in the sum with other rewards, where the raw term hardly changes any order.
"""

from __future__ import annotations

from dataclasses import replace

from sightline.credit import GroupRelative
from sightline.credit.recent_scale import RecentScale
from sightline.judges.lexical import LexicalEmbedder
from sightline.metrics.recent_scores import QuantileSigmoid, RankAmong, StandardSigmoid, unchanged
from sightline.metrics.unigrams import unigram_agreement
from sightline.parse.tags_once import TagsOnce
from sightline.rewards.answered import Answered
from sightline.rewards.answers import Answer
from sightline.rewards.format import Format
from sightline.rewards.meaning import MeaningAlike
from sightline.rewards.polarity import same_polarity
from sightline.rewards.recent_scale import OnRecentScale
from sightline.system import Extra, Stage, System

text = Answer(unigram_agreement).named("text")
encoder = MeaningAlike(LexicalEmbedder())
similarity = encoder.named("similarity")
semantic = OnRecentScale(similarity, QuantileSigmoid()).named("semantic").when(Answered())
format_ = Format(TagsOnce()).named("format")
agrees = Answer(same_polarity).named("agrees")
beyond = (encoder - MeaningAlike(LexicalEmbedder(), instead="question")).clip(0.0, 1.0).named("beyond")

CREDIT = RecentScale("similarity", "semantic", to=QuantileSigmoid(), within=GroupRelative(eps=1e-6), where="agrees")
# the other normalisations, for comparison runs
STANDARDISED_CREDIT = replace(CREDIT, to=StandardSigmoid())
RANKED_CREDIT = replace(CREDIT, to=RankAmong())
RAW_CREDIT = replace(CREDIT, to=unchanged)
# with the extra `beyond_question` in the place of `semantic`
BEYOND_QUESTION_CREDIT = replace(CREDIT, raw="beyond", shown="beyond_question")

GRPO = {
    "group size": 8,
    "learning rate": 1e-6,
    "kl coefficient": 0.04,
    "temperature": 0.7,
    "loss": "grpo",
    "devices": 4,
    "base model": "Qwen2.5-VL-3B, all parameters",
    "data": "VQA-RAD, SLAKE, PathVQA; tested also on VQA-Med, PMC-VQA, MedXpertQA",
}
SEEN = [0.80] * 20 + [0.84] * 12 + [0.86] * 12 + [0.90] * 20

SYSTEM = System(
    slug="armed",
    title="Breaking Reward Collapse: Adaptive Reinforcement for Open-ended Medical Reasoning with Enhanced Semantic "
    "Discrimination",
    arxiv="2508.12957",
    year=2025,
    family="semantic rewards for open answers",
    formula="R = r_text + r_sem + r_fmt,  r_sem = 1 / (1 + exp(-k (s - median H))),  k = 2 ln 9 / (Q.9(H) - Q.1(H))",
    reward=text + semantic + format_,
    extras={
        "lighter_format": Extra(-0.5 * format_, "takes half of the format reward back: weights 1, 1, 0.5"),
        "standardised": Extra(
            OnRecentScale(similarity, StandardSigmoid()).when(Answered()),
            "sigmoid((s - mean H) / std H), to compare with `semantic`; to train with it, `STANDARDISED_CREDIT`",
        ),
        "ranked": Extra(
            OnRecentScale(similarity, RankAmong()).when(Answered()),
            "the share of the history below s, to compare with `semantic`; to train with it, `RANKED_CREDIT`",
        ),
        "contradiction": Extra(
            semantic.when(agrees) - semantic,
            "takes r_sem back where answer or reference denies and the other does not: similarity does not see that; "
            "of several references one that agrees is enough",
        ),
        "beyond_question": Extra(
            beyond.when(Answered()),
            "s above what the question itself would have, 0 for a copied question: in the place of `semantic`, with "
            "`BEYOND_QUESTION_CREDIT`",
        ),
    },
    credit=CREDIT,
    recipe=(
        Stage("ARMed-I", "grpo", GRPO),
        Stage(
            "ARMed-A",
            "sft",
            {
                "base model": "that of ARMed-I",
                "data": "its own chains of thought on one question in twenty, nearest to the centres of clusters; "
                "rewritten towards the reference where r_text < 0.5",
            },
        ),
        Stage("ARMed-R", "grpo", {**GRPO, "base model": "that of ARMed-A"}),
    ),
    columns={
        "answer": "the reference answer, a word to a sentence, or a list of accepted ones",
        "recent_scores": "H, the last raw similarities, the same list in all rows; not needed for training",
        "question": "what was asked, for beyond_question",
    },
    departs=(
        "constants of the map, weights and the mix of BLEU-1 and ROUGE-1 are ours: no code is published",
        "a similarity that the encoder fails to give makes the rollout unscorable; it earns no 0 and is not remembered",
        "an answer without letter or digit is not embedded and not remembered: r_sem = 0",
        "of several answer blocks the first is scored, and the format is wrong",
    ),
    specimen=(
        {
            "completion": "<think>Fluid in the left lung base.</think><answer>left pleural effusion</answer>",
            "answer": "pleural effusion on the left",
            "recent_scores": SEEN,
        },
        {
            "completion": "<think>?</think><answer>no pleural effusion</answer>",
            "answer": "pleural effusion on the left",
            "recent_scores": SEEN,
        },
        {
            "completion": "<answer>Left-sided effusion.</answer>",
            "answer": ["left effusion", "pleural effusion on the left"],
            "recent_scores": [0.8, 0.9],
        },
        {"completion": "pleural effusion", "answer": "pleural effusion on the left", "recent_scores": SEEN},
        {"completion": "<think></think><answer></answer>", "answer": "edema", "recent_scores": SEEN},
        {"completion": "<think>a</think><answer>Yes.</answer><answer>no</answer>", "answer": "yes"},
    ),
)
