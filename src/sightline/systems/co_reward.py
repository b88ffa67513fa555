r"""Co-Reward: training without labels, where the majority on a rephrased question rewards the answers to the original.

    r_i  = 1[ans(y_i)  = y'_v],   y'_v the most frequent answer of the replies to the rephrased question
    r'_i = 1[ans(y'_i) = y_v],    y_v  the most frequent answer of the replies to the original
    A    = (r - mean) / (std + 1e-6) over the replies on one side, sample std
    J    = J_original(A) + J_rephrased(A')

An answer is what the last \boxed{...} holds, as raw text; an empty majority rewards nobody. A group is one question
with the replies on both sides. In training, the rows of a question and of its twin are neighbours in the data, as
`sightline.curate.twins` makes them. Variants II and III take the vote from a teacher that follows the policy slowly
(`sightline.train.teacher`): the extra `taught`, in place of the reward.
"""

from __future__ import annotations

from sightline.credit import GroupRelative, PerSide
from sightline.metrics.votes import answer_entropy, silent_share, vote_share
from sightline.parse.boxed import canonical_answer
from sightline.rewards.agreement import CrossAgreement, MajorityAgreement, TaughtAgreement
from sightline.rewards.vote_statistics import SameMajority, SideStatistic
from sightline.system import Extra, Stage, System

agreement = CrossAgreement().named("cross_agreement")

REPLIES: dict[tuple[int, str], tuple[str, ...]] = {
    (0, "original"): ("2 + 2 is \\boxed{4}", "\\boxed{4}", "so \\boxed{5}", "we use \\boxed 4$ style"),
    (0, "rephrased"): ("\\boxed{4}", "\\boxed{1}, no: \\boxed{4}", "I think \\boxed{4}", "\\boxed{7}"),
    (1, "original"): ("\\boxed{\\frac{1}{2}}", "\\boxed{0.5}", "\\fbox{9}"),
    (1, "rephrased"): ("\\boxed{12", "nothing", "\\boxed{ }"),
}
SPECIMEN = tuple(
    {"completion": said, "side": side, "order": place, "group": group}
    for (group, side), replies in REPLIES.items()
    for place, said in enumerate(replies)
)

SYSTEM = System(
    slug="co-reward",
    title="Co-Reward: Self-supervised Reinforcement Learning for LLM Reasoning via Contrastive Agreement",
    arxiv="2508.00410",
    year=2025,
    family="agreement without labels",
    formula="r_i = 1[ans(y_i) = majority(ans(y'))],  r'_i = 1[ans(y'_i) = majority(ans(y))]",
    reward=agreement,
    extras={
        "majority": Extra(
            MajorityAgreement(), "the baseline: 1 for the majority of the reply's own side, which collapses"
        ),
        "normalised": Extra(
            CrossAgreement(canonical=canonical_answer),
            "cross agreement of answers in one spelling: fractions as decimals, no units",
        ),
        "taught": Extra(
            TaughtAgreement(), "variants II and III: 1 for the majority of the replies of a slowly moving teacher"
        ),
        "watch": Extra(
            0.0 * SideStatistic(vote_share).named("vote_share")
            + 0.0 * SideStatistic(answer_entropy).named("answer_entropy")
            + 0.0 * SideStatistic(silent_share).named("silent_share")
            + 0.0 * SameMajority().named("same_majority"),
            "worth nothing, but logged: share and entropy of the votes on either side, how often both sides agree",
        ),
    },
    credit=PerSide(GroupRelative(eps=1e-6)),
    recipe=(
        Stage(
            "contrastive agreement",
            "grpo",
            {
                "group size": 8,
                "temperature": 1.0,
                "test temperature": 0.8,
                "learning rate": 3e-6,
                "schedule": "cosine",
                "warmup": 0.1,
                "epochs": 3,
                "kl coefficient": 0.005,
                "clip range": 0.2,
                "dual clip": 3.0,
                "batch size": 128,
                "max prompt tokens": 512,
                "max completion tokens": 3072,
                "base model": "Qwen2.5-3B/7B, Qwen3-1.7B/4B/8B-Base, Llama-3.2-3B-Instruct",
                "data": "MATH, 7,500 questions, each with a twin rephrased by Qwen3-32B",
            },
        ),
    ),
    columns={
        "side": "original or rephrased: which phrasing of the question a reply answers",
        "order": "place at which a reply was sampled; ties go to the answer that was sampled first",
        "teacher_reply": "for the extra taught: beside each reply one of the teacher, to the question or to its twin",
    },
    departs=(
        "ties go to the lowest `order` where that column is there; without it, as released, to the first of the batch",
        "both variants compare raw texts, so that 0.5 and \\frac{1}{2} are two answers: see the extra `normalised`",
        "a group that lacks one side is not applicable instead of an error",
    ),
    specimen=SPECIMEN,
)
