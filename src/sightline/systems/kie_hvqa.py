"""KIE-HVQA: three strings read off a degraded document, so that leaving out what cannot be read earns most.

    R     = R_ocr + 0.1 * R_fmt
    R_ocr = (s(clear) + s(not clear) + s(final)) / 3
    s     = 1 - edits / max(|said|, |right|), both without blanks; 1 if both are empty
    R_fmt = 1 for a think block, then an answer block with a JSON object that has the three fields as texts

`clear` holds the fully legible characters, `not_clear` those that are occluded but readable, `final` both in order with
a blank for each unreadable one. If nothing can be read, three empty strings are the right answer.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.metrics.characters import without_spaces
from sightline.parse.fields import FieldsForm
from sightline.rewards.format import Format
from sightline.rewards.read_fields import LEGIBILITY, FieldSimilarity, InventedCharacters
from sightline.system import Extra, Stage, System

clear = FieldSimilarity("clear").named("clear")
not_clear = FieldSimilarity("not_clear").named("not_clear")
final = FieldSimilarity("final").named("final")
official_clear = FieldSimilarity("clear", bare=without_spaces).named("clear")
official_not_clear = FieldSimilarity("not_clear", bare=without_spaces).named("not_clear")
official_final = FieldSimilarity("final", bare=without_spaces).named("final")

format_ = Format(FieldsForm(LEGIBILITY)).named("format")

HIDDEN = {"clear": "Bauful", "not_clear": "e", "final": "Beau  ful"}
NOTHING = {"clear": "", "not_clear": "", "final": ""}

SYSTEM = System(
    slug="kie-hvqa",
    title="Seeing is Believing? Mitigating OCR Hallucinations in Multimodal Large Language Models",
    arxiv="2506.20168",
    year=2025,
    family="legible characters",
    formula="R = (s(clear) + s(not clear) + s(final)) / 3 + 0.1 * R_fmt;  s = 1 - edits / max(|p|, |t|)",
    reward=((clear + not_clear + final) * (1 / 3)).named("ocr") + 0.1 * format_,
    official=((official_clear + official_not_clear + official_final) * (1 / 3)).named("ocr") + 0.1 * format_,
    extras={
        "clear only": Extra(
            clear, "with the part `ocr` left out: the ablation that rewards legible characters alone", official_clear
        ),
        "final only": Extra(
            final, "with the part `ocr` left out: the ablation that rewards the final text alone", official_final
        ),
        "invented": Extra(
            InventedCharacters("final"),
            "minus the share of the final characters that cannot be read, if abstention does not emerge",
            InventedCharacters("final", bare=without_spaces),
        ),
    },
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage(
            "cold start",
            "sft",
            {
                "epochs": 5,
                "learning rate": 1e-6,
                "batch size": 512,
                "base model": "Qwen2.5-VL-7B",
                "data": "chains of thought by a text reasoner from two descriptions of the picture",
            },
        ),
        Stage(
            "GRPO",
            "grpo",
            {
                "group size": 8,
                "temperature": 1.0,
                "learning rate": 1e-6,
                "kl coefficient": 1e-2,
                "data": "TextOCR, WildReceipt and other OCR data with simulated degradation",
            },
        ),
    ),
    columns={
        "clear": "the fully legible characters of the asked field, in reading order",
        "not_clear": "the partly occluded characters that can still be read, in reading order",
        "final": "both in order, a blank for each character that cannot be read",
    },
    departs=(
        "blanks are all white space, after composing characters (NFC); official removes the ASCII space only",
        "no training code is known: equal weights, 0.1 for the format, JSON with these names, and GRPO's settings are "
        "assumed in both variants",
        "fields of more than 2,000 characters count as missing, in both variants",
    ),
    specimen=(
        {
            "completion": '<think>t and i are hidden.</think><answer>{"clear": "Bauful", "not_clear": "e", '
            '"final": "Beau  ful"}</answer>',
            **HIDDEN,
        },
        {
            "completion": '<think>Beautiful.</think><answer>{"clear": "Bauful", "not_clear": "", '
            '"final": "Beautiful"}</answer>',
            **HIDDEN,
        },
        {
            "completion": '<think>All black.</think>\n<answer>{"clear": "", "not_clear": "", "final": " "}</answer>',
            **NOTHING,
        },
        {
            "completion": '<think>No.</think><answer>{"clear": "", "not_clear": "", "final": "I cannot"}</answer>',
            **NOTHING,
        },
        {"completion": '<answer>{"clear": "Bauful", "final": ["Beau  ful"]}</answer>', **HIDDEN},
        {"completion": "<think>Hm.</think><answer>Beau  ful</answer>", **NOTHING},
    ),
)
