"""FGAIF: three classifiers of phrases say what kind of thing is made up, and the phrase that lied pays for it.

    r_k,i = 1 if phrase i is clean of kind k, -1 if it is hallucinated, 0 if it states nothing of the kind
    r_t   = sum_k w_k r_k,t - beta * (log pi(a_t) - log pi_ref(a_t)),   r_k,t on the last token of each phrase
    A     = GAE(r, V), gamma = lambda = 1, then (A - mean) / (std + 1e-8) over the batch
    R     = sum_k w_k sum_i r_k,i,   k over object, attribute, relation;  w = (1, 1, 1), beta = 0.1

The classifiers are trained on labels that a language model and a vision-language model make (`curate/fact_labels.py`,
`train/phrase_classifier.py`); any judge that can choose stands in for them.
"""

from __future__ import annotations

from sightline.credit.dense_returns import AtTheEnd, DenseReturns, over_positions
from sightline.judges.lexical import LexicalJudge
from sightline.metrics.fact_classes import by_probability
from sightline.parse.phrases import Phrases
from sightline.rewards.phrase_facts import CheckablePhrases, PhraseFacts
from sightline.system import Extra, Stage, System

JUDGE = LexicalJudge()
RELEASED = Phrases(keep_lone=False)
WEIGHTS = (("object", 1.0), ("attribute", 1.0), ("relation", 1.0))

CREDIT = DenseReturns(WEIGHTS, kl=0.1)
# with a critic of the trainer's own
WITH_CRITIC = DenseReturns(WEIGHTS, kl=0.1, critic="value")
# the compiled trainer: KL added instead of subtracted, all times 10, statistics over padding as well
OFFICIAL_CREDIT = DenseReturns(WEIGHTS, kl=-0.1, scale=10.0, critic="value", standardise=over_positions)
# what the phrases earn together, once a reply
SEQUENCE_CREDIT = AtTheEnd(WEIGHTS, kl=0.1)

SYSTEM = System(
    slug="fgaif",
    title="FGAIF: Aligning Large Vision-Language Models with Fine-grained AI Feedback",
    arxiv="2404.05046",
    year=2024,
    family="token rewards for kinds of hallucination",
    formula="r_t = r_object + r_attribute + r_relation - 0.1 (log pi - log pi_ref), each in -1..1 where a phrase ends",
    reward=PhraseFacts(JUDGE, "object").named("object")
    + PhraseFacts(JUDGE, "attribute").named("attribute")
    + PhraseFacts(JUDGE, "relation").named("relation"),
    official=PhraseFacts(JUDGE, "object", phrases=RELEASED).named("object")
    + PhraseFacts(JUDGE, "attribute", phrases=RELEASED).named("attribute")
    + PhraseFacts(JUDGE, "relation", phrases=RELEASED).named("relation"),
    extras={
        "soft_object": Extra(PhraseFacts(JUDGE, "object", by_probability), "p(clean) - p(hallucinated) of objects"),
        "soft_attribute": Extra(PhraseFacts(JUDGE, "attribute", by_probability), "the same of attributes"),
        "soft_relation": Extra(PhraseFacts(JUDGE, "relation", by_probability), "the same of relations"),
        "checkable": Extra(
            0.0 * CheckablePhrases(JUDGE, "object"),
            "to watch: share of phrases that state an object, since vague text loses nothing",
        ),
    },
    credit=CREDIT,
    recipe=(
        Stage(
            "PPO",
            "grpo",
            {
                "learning rate": 1e-7,
                "schedule": "cosine",
                "warmup": 5,
                "epochs": 4,
                "rollout batch size": 512,
                "batch size": 256,
                "updates per batch": 2,
                "clip range": 0.2,
                "loss": "token mean",
                "kl coefficient": 0.0,
                "temperature": 1.0,
                "max completion tokens": 896,
                "lora rank": 64,
                "base model": "a 7B vision-language model after supervised fine-tuning",
                "data": "15,000 prompts to describe pictures of COCO train2014 in detail",
            },
        ),
    ),
    columns={"images": "the pictures that are described, shown to the judge if they are there"},
    departs=(
        "sentences are found by rules, not by a model; a last sentence of one word is kept, official loses it "
        "and pays a text of one word nothing",
        "the trained classifier reads its prompt through the processor's chat template",
        "phrase ends are found through the characters of tokens, official counts the tokens of the text up to there",
        "a text without words earns -1 of each kind on its first token; of more than 64 phrases the rest is one",
        "the KL penalty is part of the credit rule, so that the trainer's own is 0; official adds it by a slip of sign",
        "`official` of the credit is `OFFICIAL_CREDIT`: rewards times 10 before the estimate, statistics over padding; "
        "the compiled trainer wants 8 rows at least, ours does not",
        "without a critic V is 0; `WITH_CRITIC` takes measured values, `clipped_value_loss` times 0.1 trains them",
        "reward models in the paper are 13B with LoRA rank 64, learning rate 2e-5, warmup 0.03, batches of 32, up to "
        "100 epochs with early stopping: settings of `train/phrase_classifier.py`, no stage of the recipe",
        "a verdict that fails makes the rollout NaN",
    ),
    specimen=(
        {"completion": "A clean red cup stands here on a clean table, and a hallucinated dog runs past it today."},
        {"completion": "All of it is clean. A hallucinated attribute, not applicable. Nice."},
        {"completion": "Nothing of note."},
        {"completion": "hallucinated hallucinated"},
        {"completion": ""},
        {"completion": "A clean cup stands there.", "group": 1},
    ),
)
