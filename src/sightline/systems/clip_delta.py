"""Clip and Delta: step scores of a process reward model that cannot be earned by writing more steps.

    R         = c, 1 for the right final answer, 0 else, on the last token
    r_clip(k) = min(r_k - eta, 0)
    r(k)      = r_clip(k) - r_clip(k+1) for k < K-1;  r(K-1) = r_clip(K-1);  r(K) = 0, on the last token of step k
    J         = E[ alpha * sum_k r(k) + c - beta * log(pi / pi_ref) ],  alpha = 1 (0.02, 0.1, 0.5 are worth a try)
    G_k       = alpha * min(r_k - eta, 0) + c for k < K: what is earned from step k on; c from the last step on

r_k = p(right) of a judge that sees the problem and the steps up to k. eta is the mean of all step scores of the batch.
Without a critic, G is compared with the returns of all steps of the group. Paying r_k itself (the extra `pr`) makes
the return grow with every harmless step, and policies fill their answers with them.
"""

from __future__ import annotations

from sightline.credit.step_returns import StepReturns, StepStatistics
from sightline.judges.lexical import LexicalJudge
from sightline.metrics.step_shaping import BatchMean, StepShaping, averaged, differences, unchanged
from sightline.parse.last_box import LastBox
from sightline.rewards.answers import Answer
from sightline.rewards.step_scores import StepScores, whole
from sightline.rewards.whole_answer import WholeAnswer
from sightline.system import Extra, Stage, System

JUDGE = LexicalJudge()
success = Answer(WholeAnswer(), LastBox())
steps = StepScores(JUDGE)

PR = StepShaping(None, unchanged)
PR_NORMED = StepShaping(None, averaged)
CLIP = StepShaping(BatchMean(), unchanged)
DELTA = StepShaping(None, differences)
CLIP_DELTA = StepShaping(BatchMean(), differences)

CREDIT = StepReturns(CLIP_DELTA, alpha=1.0, statistics=StepStatistics(floor=0.1))
# the returns themselves, for a trainer with a critic, and those of the variants that the paper compares
RETURNS = StepReturns(CLIP_DELTA, statistics=None)
CLIP_RETURNS = StepReturns(CLIP, statistics=None)
DELTA_RETURNS = StepReturns(DELTA, statistics=None)
PR_RETURNS = StepReturns(PR, statistics=None)

SYSTEM = System(
    slug="clip-delta",
    title="On Designing Effective RL Reward at Training Time for LLM Reasoning",
    arxiv="2410.15115",
    year=2024,
    family="step rewards that cannot be piled up",
    formula="R = c;  per step: alpha * (r_clip(k) - r_clip(k+1)), r_clip(k) = min(r_k - eta, 0), 0 for the last step",
    reward=success.named("success") + (0.0 * steps.named("steps")).fill(0.0),
    extras={
        "outcome": Extra(StepScores(JUDGE, steps=whole), "OR: an outcome model's score of the whole solution"),
        "pr": Extra(steps, "PR: the sum of the step scores; grows with every step, for comparison only"),
        "pr_normed": Extra(StepScores(JUDGE, PR_NORMED), "PR-Normed: their mean"),
        "clip": Extra(StepScores(JUDGE, StepShaping(0.5, unchanged)), "PR-Clip as one number, eta 0.5"),
        "delta": Extra(StepScores(JUDGE, DELTA), "PR-Delta as one number: the first step's score"),
        "clip_delta": Extra(
            StepScores(JUDGE, StepShaping(0.5, differences)),
            "PR-Clip-Delta as one number, eta 0.5: the first step's shortfall",
        ),
    },
    credit=CREDIT,
    recipe=(
        Stage(
            "PPO",
            "grpo",
            {
                "group size": 8,
                "batch size": 1024,
                "temperature": 1.0,
                "base model": "Qwen2-1.5B-Instruct; 4,096 questions a batch for the 7B models",
                "data": "questions and golden answers of MathInstruct; for the judge, steps labelled by what a 7B "
                "instruct model makes of every prefix (curate/step_labels)",
            },
        ),
    ),
    columns={
        "answer": "the right answer, a number or a formula",
        "problem": "what was asked, for the judge of the steps",
        "images": "pictures of the problem, shown to the judge if they are there",
    },
    departs=(
        "the paper trains by PPO with a critic, gamma = lambda = 1; here returns are compared with those of all steps "
        "of the group, with a least standard deviation of 0.1. `RETURNS` are the returns alone",
        "the last closed box must be the right answer as a whole: of `3, 4` a maths parser would read the 4",
        "step scores are no part of R: they reach the policy through the credit rule, as token rewards",
        "steps are lines, or begin with `Step k:`; beyond 256 steps the rest counts as one",
        "a step whose score is missing takes that of the step before, a first one eta; if the judge fails on a whole "
        "solution, R is c and all its steps take eta",
        "extras pay sums of a rollout, so their threshold is a constant 0.5 and not the mean of the batch",
        "`DELTA_RETURNS` are as the paper has them: a step that is not the last is paid r_k from there on, the last is "
        "not, so that a policy may put off its end where alpha * r_k exceeds the chance of success",
        "the KL penalty is `kl` of the credit rule, 0 here: the paper does not say how large it is",
    ),
    specimen=(
        {
            "completion": "Step 1: that is right, 2 and 2.\nStep 2: right again.\nSo \\boxed{4}",
            "problem": "What is 2 + 2?",
            "answer": "4",
        },
        {"completion": "Step 1: wrong\nStep 2: \\boxed{5}", "problem": "What is 2 + 2?", "answer": "4"},
        {"completion": "\\boxed{\\frac{1}{2}}", "problem": "Half of one?", "answer": "0.5"},
        {"completion": "ready\nready\nready\nready", "problem": "Half of one?", "answer": "0.5"},
        {"completion": "", "problem": "Half of one?", "answer": "0.5"},
    ),
)
