"""Listener: a frozen second model reads the reasoning without the answer; that it is sure of the right picture pays.

    R      = r_fmt + 0.5 r_acc + 0.5 r_list;   R = 0 where r_fmt = 0, and the listener is not asked
    r_list = softmax over the two choice tokens of the listener, given pictures, prompt and the think block: p(gold)
    r_acc  = 1 if the choice is the gold one
    r_fmt  = 1 for one think block with text, then one answer block with a legal choice

The listener sees the think block alone, tags taken out, fenced; its answer is begun for it up to the choice. A listener
that fails makes the reward NaN. With equal weights a right choice never earns less than a wrong one, whatever the
listener says; a listener weight above the accuracy weight would lose that.

Order without bias: `sightline.judges.votes.balanced`. Ranking many pictures: `sightline.search.anchored`.
Contradictions: the extra `agreement`, and `sightline.metrics.contradictions`.
"""

from __future__ import annotations

from dataclasses import replace

from sightline.credit import GroupRelative
from sightline.judges.lexical import LexicalJudge
from sightline.judges.prompts import prompt
from sightline.parse.stated_choice import MadeChoice, ReasonedChoice, ReasoningAlone
from sightline.rewards.answers import Answer
from sightline.rewards.format import Format
from sightline.rewards.look import Column, Look
from sightline.rewards.same_choice import SameChoice
from sightline.rewards.second_look import ChosenAgain, among_the_likeliest
from sightline.system import Extra, Stage, System

OPENING = '{"choice": '
JUDGE = LexicalJudge()

heard = Look(
    prompt("listener").text,
    (("caption", Column("caption")), ("reasoning", ReasoningAlone())),
    opening=OPENING,
    options=("1", "2"),
)
hidden = replace(heard, places=(heard.places[0], ("reasoning", ReasoningAlone(without_verdict=True))))

format_ = Format(ReasonedChoice()).named("format")
accuracy = Answer(SameChoice(), column="choice").named("accuracy")
listener = ChosenAgain(JUDGE, heard, of=Column("choice")).named("listener")
ungated = ChosenAgain(JUDGE, heard, nothing=0.5, of=Column("choice")).named("listener ungated")
unaided = ChosenAgain(JUDGE, hidden, of=Column("choice")).named("listener without verdict")

SYSTEM = System(
    slug="listener",
    title="Listener-Rewarded Thinking in VLMs for Image Preferences",
    arxiv="2506.22832",
    year=2025,
    family="reasoning that convinces another reader",
    formula="R = r_fmt + 0.5 r_acc + 0.5 p_listener(gold | pictures, prompt, reasoning without answer); 0 if r_fmt = 0",
    reward=(format_ + 0.5 * accuracy + 0.5 * listener).when(format_),
    extras={
        "ungated": Extra(
            format_ + 0.5 * accuracy + 0.5 * ungated,
            "the sum as it stands, without the gate; without reasoning the listener counts 0.5",
        ),
        "hidden_verdict": Extra(
            (format_ + 0.5 * accuracy + 0.5 * unaided).when(format_),
            "the reward where a last sentence that states the verdict is kept from the listener as well; its part is 0 "
            "where nothing else was said",
        ),
        "agreement": Extra(
            ChosenAgain(JUDGE, heard, of=MadeChoice(), share=among_the_likeliest),
            "1 if the listener's likeliest option is the policy's own choice, a tie included: no contradiction",
        ),
    },
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "listener GRPO",
            "grpo",
            {
                "base model": "Qwen2.5-VL-7B-Instruct",
                "group size": 8,
                "learning rate": 1e-6,
                "temperature": 1.0,
                "clip range": 0.2,
                "kl coefficient": 0.04,
                "data": "about 16 % of HPDv2, the order of both pictures drawn by chance",
            },
        ),
    ),
    columns={
        "caption": "the text that both pictures were made for",
        "images": "the two pictures, in the order in which they were shown",
        "choice": "the gold choice, 1 or 2",
    },
    departs=(
        "no code is released; tags, gate, the opening of the listener's answer and training settings are assumed",
        "nothing but white space may stand around the two blocks, and nothing but the choice in the answer",
        "a listener in process counts an option's spellings with a blank before it together, not one token each",
        "the paper's listener is a frozen Qwen2.5-VL-7B-Instruct",
        "the judge is a value; without one set, words are counted (`LexicalJudge`), which needs no model",
    ),
    specimen=(
        {
            "completion": '<think>1 shows two balls, 1 is complete</think><answer>{"choice": 1}</answer>',
            "caption": "two balls",
            "images": ["a.png", "b.png"],
            "choice": 1,
            "group": 0,
        },
        {
            "completion": '<think>the balls are in 2</think>\n<answer>{"choice": 1}</answer>',
            "caption": "two balls",
            "images": ["a.png", "b.png"],
            "choice": 1,
            "group": 0,
        },
        {
            "completion": "<think>2 and 2</think><answer>2</answer>",
            "caption": "a cat",
            "images": ["c.png", "d.png"],
            "choice": "1",
            "group": 1,
        },
        {
            "completion": "<think></think><answer>2</answer>",
            "caption": "a cat",
            "images": ["c.png", "d.png"],
            "choice": 2,
            "group": 1,
        },
        {
            "completion": "2",
            "caption": "a dog",
            "images": ["c.png", "d.png"],
            "choice": 2,
            "group": 2,
        },
    ),
)
