"""A word-level tokenizer whose tokens include whole JSON fragments, so that answers decode to text any parser reads.

A box edge is one token, the number with its comma (`12,`); edges are pixels 0..48 in `bbox_2d` and in think blocks,
thousandths of the side in `Position`. The digit 3 and the edge 3 are therefore different tokens. Decoding joins tokens
with blanks and then removes the blanks that JSON and tags do not have, so that `json.dumps` output and the wordings of
`worlds.statements` survive encode and decode unchanged.
"""

from __future__ import annotations

import re
from typing import Any

from sightline.lab.worlds.canvas import COLOURS, DIGITS, SHAPES, SIDE
from sightline.lab.worlds.statements import FENCE, thousandths

SPECIAL = ("<pad>", "<unk>", "<bos>", "<eos>", "<image>", "<user>", "<assistant>", "<system>")
TAGS = ("<think>", "</think>", "<answer>", "</answer>")
FRAGMENTS = (
    f"{FENCE}json\n",
    f"\n{FENCE}",
    '[{"bbox_2d": [',
    '"}, {"bbox_2d": [',
    '{"bbox_2d": [',
    '], "label": "',
    '"}]',
    "]}",
    "[{'Position': [",
    "}, {'Position': [",
    "], 'Confidence': ",
    "}]",
    "No Objects",
    "None",
    "(A)",
    "(B)",
    "(C)",
    "(D)",
    " at [",
    "]",
    "?",
    ":",
    ",",
)
ALPHABET = """
A B C D a an and the is are what which where how many colour object objects digit digits shape shapes list all find
greater left right up down above below of in to from yes no look nothing usually here frame moves appears first
last times does flash shown way move after before then or image not
"""
WORDS = tuple(ALPHABET.split())
CONFIDENCES = tuple(f"{step / 20:.2f}" for step in range(21))
# The normaliser closes the last edge of a box with a comma, so that every edge is the same token wherever it stands.
LAST_EDGE = r"(?<=[\d])\](?!\d)"
# Blanks that joining tokens puts where JSON and tags have none.
FALSE_BLANKS = "|".join(
    [
        r"(?<=<think>|<answer>) ",
        r" (?=</think>|</answer>)",
        r"(?<=json\n) ",
        r" (?=\n)",
        r'(?<="label": ") ',
        r"(?<=[\[]) ",
        r' (?="}|\]|}|\?|:)',
        r"(?<='Confidence': ) ",
        r" (?= at \[)",
    ]
)


def edges() -> list[str]:
    """Box edges as tokens: pixels 0..48 in order, then the thousandths that are not among them."""
    pixels = [f"{p}," for p in range(SIDE + 1)]
    return pixels + [f"{thousandths(p)}," for p in range(SIDE + 1) if f"{thousandths(p)}," not in pixels]


def vocabulary() -> list[str]:
    """Every token, special ones first, in a fixed order."""
    words = (*WORDS, *COLOURS, *SHAPES, *DIGITS)
    return list(dict.fromkeys([*SPECIAL, *TAGS, *FRAGMENTS, *words, *CONFIDENCES, *edges()]))


def pieces() -> str:
    """The expression that cuts text into tokens: fragments before words, longest first, blanks dropped."""
    literal = sorted((*SPECIAL, *TAGS, *FRAGMENTS), key=len, reverse=True)
    return "|".join([*(re.escape(piece) for piece in literal), r"\d+\.\d+", r"\d+,", r"\w+", r"\S"])


def build() -> Any:
    """The tokenizer, left-padding, with the chat template.

    Example:
        >>> text = '<think>red 3 at [1, 2, 9, 12]</think> <answer>3</answer>'
        >>> tokenizer = build()
        >>> tokenizer.decode(tokenizer.encode(text)) == text
        True
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    engine = Tokenizer(models.WordLevel({token: i for i, token in enumerate(vocabulary())}, unk_token="<unk>"))
    engine.normalizer = normalizers.Replace(Regex(LAST_EDGE), ",]")
    engine.pre_tokenizer = pre_tokenizers.Split(Regex(pieces()), behavior="removed", invert=True)
    engine.decoder = decoders.Sequence(
        [
            decoders.WordPiece(prefix="\x00", cleanup=False),
            decoders.Fuse(),
            decoders.Replace(Regex(FALSE_BLANKS), ""),
            decoders.Replace(",]", "]"),
        ]
    )
    fast: Any = PreTrainedTokenizerFast
    return fast(
        tokenizer_object=engine,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<bos>",
        eos_token="<eos>",
        padding_side="left",
        model_max_length=512,
        extra_special_tokens={"image_token": "<image>"},
        chat_template=CHAT_TEMPLATE,
    )


# Takes string content and part lists, writes one mark an image; an assistant turn ends in <eos>.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "<{{ message['role'] }}>"
    "{%- if message['content'] is string -%}{{ message['content'] }}"
    "{%- else -%}{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}<image>"
    "{%- elif part['type'] == 'text' -%}{{ part['text'] }}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}<eos>{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}<assistant>{%- endif -%}"
)
