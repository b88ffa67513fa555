"""Text -> value or Missing(why): everything that reads what a policy wrote.

Parsers are frozen dataclasses or plain functions of one text, so a batch can share what they find. They never raise on
text, however hostile, and their time grows with its length only.
"""

from sightline.parse.boxes import (
    LENIENT_DETECTIONS,
    BoxTable,
    Detections,
    FoundBoxes,
    box_table,
    first_int_box,
    first_point_pair,
    is_box,
    is_number,
    point_pairs,
)
from sightline.parse.choices import OptionLetter, YesNo, lone_letter
from sightline.parse.json import (
    JSON_LIST,
    LENIENT_LIST,
    Fence,
    JsonList,
    close_list,
    collapse_brackets,
    double_quotes,
    drop_lead,
    drop_newlines,
    drop_trailing_commas,
    outer_list,
    python_literals,
)
from sightline.parse.maths import Boxed, maths_equal, need_math_verify
from sightline.parse.numbers import Number, same_number
from sightline.parse.tags import ANSWER, THINK, THINK_ANSWER, Block, FormWith, FullMatch, Inside, Span
from sightline.parse.text import clean_text, one_line_lower, squeezed

__all__ = [
    "ANSWER",
    "JSON_LIST",
    "LENIENT_DETECTIONS",
    "LENIENT_LIST",
    "THINK",
    "THINK_ANSWER",
    "Block",
    "BoxTable",
    "Boxed",
    "Detections",
    "Fence",
    "FormWith",
    "FoundBoxes",
    "FullMatch",
    "Inside",
    "JsonList",
    "Number",
    "OptionLetter",
    "Span",
    "YesNo",
    "box_table",
    "clean_text",
    "close_list",
    "collapse_brackets",
    "double_quotes",
    "drop_lead",
    "drop_newlines",
    "drop_trailing_commas",
    "first_int_box",
    "first_point_pair",
    "is_box",
    "is_number",
    "lone_letter",
    "maths_equal",
    "need_math_verify",
    "one_line_lower",
    "outer_list",
    "point_pairs",
    "python_literals",
    "same_number",
    "squeezed",
]
