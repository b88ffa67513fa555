"""EVPV-PRM: step scores count only as far as the visual facts that the steps rely on can be trusted.

    C       = facts of the picture, written down once per question by an extractor that sees no solution
    D       = the distinct visual facts that the solution's steps name;  V = the steps that name one
    p       = max(0, 1 - 0.5 #High - 0.2 #Low) over the contradictions between D and C;  1 if D is empty
    raw_i   = 1 or -1, a judge's verdict on step i, given question, picture, C and the 12 steps before
    final_i = raw_i * p if i in V and raw_i = 1, else raw_i
    R       = mean (final_i + 1) / 2

A scorer gives a low score because the step is wrong or because it misread the picture; here the second is asked apart,
once per solution and without a tool call. Omissions never count. A wrong step stays wrong. Where the extractor failed
there is no p: the solution is scored ungated, and the reason says so. A solution that names no visual fact is not
gated either: the gate sees what a policy admits to rely on.

Test time: `sightline.search.best_of_n.BestOfN(SYSTEM.reward)` over 8 candidates
(`sightline.search.candidates.varied`). Descriptions:
`sightline.curate.constraints.Extractor`; descriptions spoiled on purpose: `sightline.curate.fact_corruption`; with and
without help to see: `sightline.curate.perception_aids`. Labelled steps: `sightline.bench.step_verification`.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.judges.premise_words import PremiseWords
from sightline.metrics.step_aggregates import (
    SoftGate,
    exact_correctness,
    exact_first_error,
    exact_geometric,
    exact_streak,
    first_error,
    geometric,
    streak,
    weighted_correctness,
)
from sightline.parse.premise_audit import stated
from sightline.parse.premises import FinalAnswer, PremisedSolution
from sightline.parse.signs import lenient_sign
from sightline.rewards.choice_or_value import ChoiceOrValue
from sightline.rewards.premise_gate import PremiseGate
from sightline.rewards.premises import PremisedSteps, PremiseReliability
from sightline.rewards.typed_premises import TypedPremises
from sightline.system import Extra, Stage, System

JUDGE = PremiseWords()
LITERAL = PremisedSolution(nulls="official")
FAILED_EXTRACTION = "Error: the image description could not be generated."

steps = PremisedSteps(JUDGE).named("steps")
reliability = PremiseReliability(JUDGE).named("reliability")
official_steps = PremisedSteps(JUDGE, LITERAL, lenient_sign, exact_correctness, failed=-1).named("steps")
official_reliability = PremiseReliability(JUDGE, LITERAL, stated, otherwise=FAILED_EXTRACTION).named("reliability")

SYSTEM = System(
    slug="evpv-prm",
    title="Grounding the Score: Explicit Visual Premise Verification for Reliable Vision-Language Process Reward "
    "Models",
    arxiv="2603.16253",
    year=2026,
    family="step rewards gated by the reliability of visual premises",
    formula="R = mean((final_i + 1) / 2),  final_i = raw_i * p for right steps with a visual premise, raw_i else;  "
    "p = max(0, 1 - 0.5 #High - 0.2 #Low)",
    reward=PremiseGate(steps, reliability),
    official=PremiseGate(official_steps, official_reliability, aggregate=exact_correctness, solution=LITERAL),
    extras={
        "weighted": Extra(
            PremiseGate(steps, reliability, aggregate=weighted_correctness),
            "later steps weigh more: (sum i s_i + W) / 2W",
            PremiseGate(official_steps, official_reliability, aggregate=weighted_correctness, solution=LITERAL),
        ),
        "streak": Extra(
            PremiseGate(steps, reliability, aggregate=streak),
            "right steps in a row",
            PremiseGate(official_steps, official_reliability, aggregate=exact_streak, solution=LITERAL),
        ),
        "geometric": Extra(
            PremiseGate(steps, reliability, aggregate=geometric),
            "geometric mean of 1 and 0.1",
            PremiseGate(official_steps, official_reliability, aggregate=exact_geometric, solution=LITERAL),
        ),
        "first_error": Extra(
            PremiseGate(steps, reliability, aggregate=first_error),
            "where the first wrong step stands",
            PremiseGate(official_steps, official_reliability, aggregate=exact_first_error, solution=LITERAL),
        ),
        "soft": Extra(
            PremiseGate(steps, reliability, SoftGate()), "gate sigmoid((p - 0.5) / 0.1) in the place of p", None
        ),
        "selection": Extra(
            PremiseGate(steps, reliability),
            "what best-of-N ranks by: the gated score; the released script ranks by the ungated one",
            official_steps,
        ),
        "typed": Extra(TypedPremises(), "r = mean support of typed premises by typed facts; asks no model"),
        "answer": Extra(ChoiceOrValue(FinalAnswer()), "1 if the final answer is right"),
    },
    credit=GroupRelative(),
    recipe=(
        Stage(
            "constraint extractor",
            "sft",
            {
                "base model": "Qwen2.5-VL-7B-Instruct",
                "lora rank": 8,
                "lora alpha": 32,
                "lora targets": "all-linear",
                "freeze vision": True,
                "learning rate": 1e-4,
                "warmup": 0.05,
                "epochs": 1,
                "max sequence tokens": 8192,
                "data": "descriptions of the pictures of VisualPRM400K by a 235B teacher",
            },
        ),
        Stage(
            "step judge",
            "sft",
            {
                "base model": "the merged constraint extractor",
                "lora rank": 8,
                "lora alpha": 32,
                "lora targets": "all-linear",
                "freeze vision": True,
                "learning rate": 1e-4,
                "warmup": 0.05,
                "epochs": 1,
                "max sequence tokens": 8192,
                "data": "steps with 1 or -1 and a category of error, by the teacher; 0 is -1; + rows are all 1",
                "test temperature": 0.0,
            },
        ),
    ),
    columns={
        "question": "the problem, for the step judge",
        "constraints": "the independent description: a text, an object with `image_description` or with `caption`, "
        "`key_facts` and `uncertain`, or None where the extractor failed",
        "images": "pictures of the problem, shown to the step judge if they are there",
        "facts": "typed facts, such as `Length(AB) = 10`; None: not described (extra `typed`)",
        "answer": "the right answer: letter, number or short text (extra `answer`)",
        "choices": "texts of the choices, in order or by letter, if there are any (extra `answer`)",
    },
    departs=(
        "which of the five aggregations is the main one is not told: here the mean; the others are extras. A gated 0.3 "
        "counts as what it is in the means, and as wrong where steps are counted; official compares with 1 and -1",
        "the exact gate of the paper and how supports combine were not available: this is the released code's gate",
        "p is counted from the listed contradictions where all have a severity; official believes the auditor's number",
        "a failed audit is p = 0, as a checklist can be worded to break the auditor; no description is no p, ungated. "
        "official audits against an error text, which is then taken for a description",
        "a step verdict must be 1 or -1 and nothing else, or the step is wrong; official reads `The answer is 10` as 1",
        "a step judge that fails makes the rollout NaN; official counts the step as wrong",
        "the boolean false and the word none are no premises; official checks them",
        "solutions that are not the asked JSON object earn 0; steps beyond 128 are wrong without a call, and more than "
        "256 premises are p = 0",
        "no auditor is asked where a solution states no premise: p = 1",
        "the optional DPO of the extractor is no stage here; pairs: `sightline.curate.perception_aids`",
    ),
    specimen=(
        {
            "completion": '{"reasoningprocess": [{"steptext": "I read AB", "visualdependency": "AB is 7"}, '
            '{"steptext": "7 + 7 = 14", "visualdependency": null}], "finalanswer": "14"}',
            "question": "How long is twice AB?",
            "constraints": {"caption": "A line.", "key_facts": ["AB is 7"], "uncertain": []},
        },
        {
            "completion": '{"reasoningprocess": [{"steptext": "I read AB", "visualdependency": "AB is 8"}, '
            '{"steptext": "8 + 8 = 16", "visualdependency": null}], "finalanswer": "16"}',
            "question": "How long is twice AB?",
            "constraints": "AB is 7",
        },
        {
            "completion": '{"reasoningprocess": [{"steptext": "I read AB", "visualdependency": "AB is 8"}, '
            '{"steptext": "8 + 8 = 15", "visualdependency": "none"}], "finalanswer": "15"}',
            "question": "How long is twice AB?",
            "constraints": None,
        },
        {
            "completion": '{"reasoningprocess": [{"steptext": "1 + 1 = 2", "visualdependency": false}], '
            '"finalanswer": "B"}',
            "question": "How many?",
            "constraints": "Two balls.",
        },
        {"completion": "It is 14.", "question": "How long is twice AB?", "constraints": "AB is 7"},
        {
            "completion": '{"reasoningprocess": [], "finalanswer": "14"}',
            "question": "How long is twice AB?",
            "constraints": "AB is 7",
        },
    ),
)
