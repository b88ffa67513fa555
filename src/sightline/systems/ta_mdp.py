"""Tool-augmented decision process: one summed reward, or an advantage for every component of it.

    R       = 0.2 format + 0.5 accuracy + 0.3 executability
    joint     A_i = (R_i - mean R) / sigma
    decoupled A_i = sum_k w_k (R_ik - mean R_k) / sigma_k
    identity  A_joint = sum_k v_k A_k, v_k = w_k sigma_k / sigma
    gap       J_decoupled - J_joint = sum_k w_k (1 - sigma_k / sigma) mean_i(rho_i A_ik), without clipping

Standard deviations are the population's. format: thoughts, well-formed calls, one answer at the end. executability:
successful calls / calls; without calls 1 if none was needed, else 0. Theorems as bounds: `metrics/learning_bounds.py`;
the decision process itself, enumerated exactly: `lab/worlds/tool_steps.py`, `lab/tabular.py`.
"""

from __future__ import annotations

from sightline.credit.by_component import Decoupled, Joint, matched_weights
from sightline.parse.tags import Block
from sightline.parse.tool_calls import ToolTurns
from sightline.rewards.answers import Answer, SameMaths
from sightline.rewards.executability import Executability
from sightline.rewards.format import Format
from sightline.system import Stage, System

format_ = Format(ToolTurns())
accuracy = Answer(SameMaths(), Block("answer", which="last"))
executability = Executability(depth=3)

WEIGHTS = (("format", 0.2), ("accuracy", 0.5), ("executability", 0.3))
JOINT = Joint()
DECOUPLED = Decoupled(WEIGHTS)
# the joint advantage once more, made of those of the components
REMATCHED = Decoupled(WEIGHTS, matched_weights)

CROP = '<tool_call>{"name": "crop", "arguments": {"box": [1, 2, 30, 40]}}</tool_call>'
TOOLS = {"crop": ["box"], "zoom": []}

SYSTEM = System(
    slug="ta-mdp",
    title="Rethinking Reinforcement Fine-Tuning in LVLM: Convergence, Reward Decomposition, and Generalization",
    arxiv="2604.19857",
    year=2026,
    family="joint and decoupled advantages of composite rewards",
    formula="R = 0.2 format + 0.5 accuracy + 0.3 executability;  A = (R - mean)/sigma or sum w_k (R_k - mean)/sigma_k",
    reward=0.2 * format_.named("format")
    + 0.5 * accuracy.named("accuracy")
    + 0.3 * executability.named("executability"),
    credit=JOINT,
    recipe=(Stage("GRPO", "grpo", {"clip range": 0.2}),),
    columns={
        "answer": "the right answer, a number or a formula",
        "tools": "name of every tool -> list of the arguments that it needs",
        "needs_tool": "whether the question cannot be answered without a tool",
        "call_outcomes": "true or false for every call that was written, also a broken one, in order; a call behind "
        "the end was not run; None: no record",
    },
    departs=(
        "weights, components, clip range and the limit of 3 calls are ours: no table of the paper was available",
        "theorem 2 bounds the gap by a residual that is always 0; gap and bound of `component_gap` are ours",
        "theorem 3 divides the cost of a shift by sqrt(n); restated without: two prompts refute it",
        "of its min(TV, sqrt(KL/2)) the first is never the larger one, by Pinsker's inequality; values beyond [0, 1] "
        "are refused, since the middle term is that of values up to 1",
        "theorem 1 is a formula with our constants; that the variance grows like K / G is an assumption, which the lab "
        "measures",
        "with one constant component of three, joint and decoupled need not agree up to scale on the rest: they do "
        "only if a single other component varies, not with two or more",
        "v_k < w_k is rarer than it sounds: weights that sum to 1 make sigma small, so decoupling mostly shrinks every "
        "weight and with them the step; it is the share among the components that rises",
        "with equal ratios, as in the first update on a batch, both surrogates are 0 and so is their gap, though their "
        "gradients differ; `component_figures` logs the distance of the advantages as well",
        "rollouts that lack a component get 0 and are in no statistic, so that the identity holds for the others",
    ),
    specimen=(
        {
            "completion": f"<think>Too small.</think>{CROP}\n<think>Seven.</think><answer>7</answer>",
            "answer": "7",
            "tools": TOOLS,
            "needs_tool": True,
            "call_outcomes": [True],
        },
        {
            "completion": f"<think>?</think>{CROP}{CROP}{CROP}{CROP}<answer>8</answer>",
            "answer": "7",
            "tools": TOOLS,
            "needs_tool": True,
            "call_outcomes": [True, False, True],
        },
        {
            "completion": "<think>Plain to see.</think><answer>0.5</answer>",
            "answer": "\\frac{1}{2}",
            "tools": TOOLS,
            "needs_tool": False,
        },
        {"completion": "<think>I guess.</think><answer>3</answer>", "answer": "4", "tools": TOOLS, "needs_tool": True},
        {
            "completion": '<think>a</think><tool_call>{"name": "paint"}</tool_call><tool_call>{"name": ',
            "answer": "4",
            "tools": TOOLS,
            "needs_tool": True,
        },
        {"completion": "4", "answer": "4", "tools": TOOLS, "needs_tool": False},
        {"completion": "", "answer": "4", "tools": {}, "needs_tool": False},
    ),
)
