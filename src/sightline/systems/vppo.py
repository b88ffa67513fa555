"""VPPO: the same reply scored once more with a spoiled picture says which tokens, and which replies, depend on seeing.

    S_t   = KL(pi(.|s_t, I) || pi(.|s_t, I')), estimated by the written token: exp(d) - d - 1, d = log p(I') - log p(I)
    s_i   = mean_t S_t;   f_i from 0.9 on, linear in s_i, mean 1 over the batch
    m_it  = 1 for the ceil(0.4 n_i) tokens with the largest S_t
    A'_it = f_i * m_it * A_i;   A = (r - mean) / (std + 1e-6) over the group, sample std
    L     = mean over ALL tokens of the clipped loss, 0.8 .. 1.28, dual clip 3

I' has patches of 14 x 14 pixels blackened, each with probability 0.5. r is 1 for the right last box, 0 else; a last
box that is open is none.
"""

from __future__ import annotations

from sightline.credit.group_relative import GroupRelative
from sightline.credit.token_perception import TokenPerception
from sightline.media.corruption import BlackPatches
from sightline.parse.maths import Boxed
from sightline.parse.think_boxed import ThinkBoxed
from sightline.rewards.answers import Answer, SameMaths
from sightline.rewards.format import Format
from sightline.system import Extra, Stage, System

accuracy = Answer(SameMaths(), Boxed())

CREDIT = TokenPerception(BlackPatches(side=14, probability=0.5), GroupRelative(eps=1e-6), share=0.4, low=0.9)

SYSTEM = System(
    slug="vppo",
    title="Spotlight on Token Perception for Multimodal Reinforcement Learning",
    arxiv="2510.09285",
    year=2025,
    family="credit for tokens that depend on the picture",
    formula="R = accuracy;  A'_it = f_i * m_it * A_i, f by mean dependency on the picture, m the top 40 % of tokens",
    reward=accuracy.named("accuracy"),
    extras={
        "format": Extra(
            0.1 * Format(ThinkBoxed()) - 0.1 * accuracy,
            "0.1 for <think>..</think> and then a box, taken from the accuracy, as the released code can",
        ),
    },
    credit=CREDIT,
    recipe=(
        Stage(
            "VPPO",
            "grpo",
            {
                "group size": 8,
                "learning rate": 1e-6,
                "schedule": "constant",
                "weight decay": 0.01,
                "epochs": 2,
                "kl coefficient": 0.0,
                "clip range": 0.2,
                "clip range high": 0.28,
                "dual clip": 3.0,
                "loss": "token mean",
                "temperature": 1.0,
                "top-p": 0.99,
                "max prompt tokens": 4096,
                "max completion tokens": 2048,
                "min image pixels": 200704,
                "max image pixels": 1003520,
                "rollout batch size": 384,
                "batch size": 128,
                "base model": "Qwen2.5-VL-7B; for an 8B model 8192 completion tokens and 130 steps",
                "data": "ViRL39K",
            },
        ),
    ),
    columns={"answer": "the right answer, a number or a formula"},
    departs=(
        "least, largest and mean dependency are those of the whole batch; official takes those of one device's part",
        "equal dependencies are told apart by place, the earliest first; official by whatever its sorting does",
        "a reply without any dependency learns with all its tokens; official keeps an arbitrary 40 % of them",
        "prompts whose rewards are all equal weigh nothing; official draws new ones instead, for 0.01 < mean accuracy "
        "< 0.99. Where they are passed in they stand in the statistics of f, unless `only_informative` is set",
        "pictures are spoiled by a generator seeded with the run, the step and the rollout; official does not seed",
        "the entropy penalty (0.06 for 7B, 0.12 for 8B) is `sharpen` of the credit rule, 0 here",
    ),
    specimen=(
        {"completion": "<think>Two and two.</think> \\boxed{4}", "answer": "4"},
        {"completion": "<think>Half.</think> \\boxed{0.5}", "answer": "\\frac{1}{2}"},
        {"completion": "<think>a</think> \\boxed{3}, no: \\boxed{5}", "answer": "3"},
        {"completion": "It is 4.", "answer": "4"},
    ),
)
