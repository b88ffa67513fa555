"""Likelihood rewards: how likely the policy holds the reference answer after its own reasoning. No verifier.

    l_t       = log pi(a*_t | prompt, z, a*_<t), z the reasoning, cut before `<answer`;   L = sum_t l_t over m tokens
    logprob   L          avglogprob  L / m
    prob      exp(L)     avgprob     mean_t exp(l_t)          geoprob  exp(L / m)
    A_i       = R_i - mean_{j != i} R_j                        no division by the standard deviation
    loss      = -(A log pi(z) + R), R with its gradient: fine-tuning on the reference, weighed by dR / dl_t

and its relatives: JEPO (log of the mean probability over the rollouts), VeriFree (prob), RLPR (gain over no reasoning),
NOVER (ranks of perplexities under a slowly moving reference). The paper's one for answers short and long is logprob.
"""

from __future__ import annotations

from dataclasses import replace

from sightline.credit.credit import Credit
from sightline.credit.group_relative import GroupRelative
from sightline.credit.likelihood_credit import EvidenceBound, LikelihoodCredit, SpreadFilter
from sightline.metrics.likelihoods import geometric_probability, mean_log_probability, mean_probability, probability
from sightline.parse.tags import ANSWER, THINK_ANSWER
from sightline.rewards.answers import Answer, same_text
from sightline.rewards.format import Format
from sightline.rewards.length_guard import LengthGuard
from sightline.rewards.likelihood_gain import LikelihoodGain, TagsOnce
from sightline.rewards.perplexity_ranks import PerplexityRanks
from sightline.rewards.reference_likelihood import Likelihood, LogLikelihood
from sightline.system import Extra, Stage, System

gain, tags = LikelihoodGain(), Format(TagsOnce())
rank = PerplexityRanks("ranks")
# a valid rollout has a rank above 0; an invalid one earns nothing for its form either
nover = rank + PerplexityRanks("efficiency") + Format(THINK_ANSWER).when(rank)

CREDIT = LikelihoodCredit("logprob")
# the credit rule that belongs to each reward; VeriFree is prob
CREDITS: dict[str, Credit] = {
    "logprob": CREDIT,
    "avglogprob": LikelihoodCredit("avglogprob"),
    "prob": LikelihoodCredit("prob"),
    "avgprob": LikelihoodCredit("avgprob"),
    "geoprob": LikelihoodCredit("geoprob"),
    "jepo": LikelihoodCredit("jepo", reasoning=EvidenceBound()),
    "verifree": LikelihoodCredit("prob"),
    "rlpr": SpreadFilter(GroupRelative(eps=1e-6), beta=0.5),
    "nover": GroupRelative(eps=1e-4),
}
# the settings of the variants' own releases
RECIPES: dict[str, Stage] = {
    "verifree": Stage(
        "VeriFree",
        "grpo",
        {
            "group size": 8,
            "learning rate": 1e-6,
            "kl coefficient": 0.0,
            "loss": "constant length",
            "max completion tokens": 3000,
        },
    ),
    "rlpr": Stage(
        "RLPR",
        "grpo",
        {
            "group size": 8,
            "batch size": 768,
            "learning rate": 1e-6,
            "clip range": 0.2,
            "clip range high": 0.27,
            "kl coefficient": 0.0,
        },
    ),
}
ROW = {"answer": "4", "reference_logps": [-0.1, -0.7], "completion_tokens": 12}

SYSTEM = System(
    slug="likelihood-reward",
    title="Likelihood-Based Reward Designs for General LLM Reasoning",
    arxiv="2602.03979",
    year=2026,
    family="the policy's own probability of the reference answer",
    formula="R = log pi(a* | prompt, z);  A_i = R_i - mean_{j != i} R_j;  loss = -(A log pi(z) + R)",
    reward=LogLikelihood().named("logprob"),
    extras={
        "avglogprob": Extra(LogLikelihood(mean_log_probability), "mean log-probability of the reference's tokens"),
        "prob": Extra(Likelihood(probability), "probability of the reference; with `prob` credit this is VeriFree"),
        "avgprob": Extra(Likelihood(mean_probability), "mean probability of the reference's tokens"),
        "geoprob": Extra(Likelihood(geometric_probability), "geometric mean of the tokens' probabilities"),
        "exact_match": Extra(
            90.0 * Answer(same_text) + 10.0 * Format(ANSWER), "the baseline: 100 right, 10 wrong, 0 without an answer"
        ),
        "rlpr": Extra(
            0.9 * gain + 0.1 * tags,
            "gain of mean probability over answering at once, and each tag once",
            official=0.9 * replace(gain, rounded=True) + 0.1 * tags,
        ),
        "nover": Extra(nover, "rank of the perplexity in its prompt, efficiency, and form, weight 1 each"),
        "length_guard": Extra(LengthGuard(0.01, 100), "penalty on less than 100 tokens; the rate needs a pilot"),
    },
    credit=CREDIT,
    recipe=(
        Stage(
            "likelihood",
            "grpo",
            {
                "group size": 32,
                "optimizer": "adamw_torch",
                "learning rate": 1e-5,
                "schedule": "cosine",
                "warmup": 20,
                "max gradient norm": 1.0,
                "kl coefficient": 0.001,
                "loss": "constant length",
                "max completion tokens": 1024,
                "batch size": "8 questions",
                "base model": "Llama-3.2-3B-Instruct, Qwen2.5-3B-Instruct",
                "data": "MATH (7k), DeepScaleR (39k); for long answers, without KL and in groups of 4 too, Alpaca and "
                "NuminaProof (50k each)",
            },
        ),
    ),
    columns={
        "answer": "the reference answer",
        "reference_logps": "log-probability of each token of the reference behind the rollout's reasoning, a list, or "
        "None where the rollout begins no answer; in training the policy fills it",
        "direct_logps": "rlpr: the same behind the bare prompt, by the policy as training began; filled in training",
        "proxy_logps": "nover: as `reference_logps`, by a reference that follows slowly; filled in training",
        "completion_tokens": "nover, length_guard: tokens of the rollout; the trainer sets it",
    },
    departs=(
        "a rollout without an answer earns 1 less than the least of its prompt for logprob and avglogprob, 0 else",
        "a prompt where no rollout has an answer gets no advantage",
        "an empty reference earns 0",
        "opening and closing tags are tokenised apart from the reference, so that no token reaches over a border",
        "the end of the answer behind the reference is trained with the weight of its last token, but not rewarded",
        "official is RLPR's rounding to bfloat16; the other variants have none of their own",
        "nover and length_guard count all tokens of a rollout as its reasoning; their fields `length` and `column` "
        "name a better count",
        "each variant has its credit rule in `CREDITS`, VeriFree and RLPR have settings in `RECIPES`; JEPO is the main "
        "reward with the rule `jepo`",
        "the paper stops sampling at `</answer`; here the first answer begins where the reference is put, and "
        "exact_match asks for a closed block",
    ),
    specimen=(
        {"completion": "<think>2 + 2</think> <answer>4</answer>", **ROW},
        {"completion": "<think>2 + 2</think> <answer>5</answer>", **ROW, "reference_logps": [-2.3, -1.6]},
        {"completion": "<think>2 + 2", **ROW, "reference_logps": None},
        {"completion": "<answer>4</answer>", **ROW, "reference_logps": None},
        {"completion": "<answer>", **ROW, "reference_logps": []},
        {
            "completion": "<think>Two and two are 4.</think> <answer>4</answer>",
            "answer": "4",
            "reference_logps": [-0.2],
            "completion_tokens": 12,
        },
    ),
)
