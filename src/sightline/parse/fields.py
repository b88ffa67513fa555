"""Named text fields of a JSON object in an answer block, and whether a whole reply has that form.

Knows nothing of what the fields mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sightline.core.missing import Missing
from sightline.parse.json import load
from sightline.parse.tags import ANSWER, THINK_ANSWER, Block

Fields: TypeAlias = "Mapping[str, str | Missing]"


@dataclass(frozen=True, slots=True)
class TextFields:
    """The text fields of the JSON object that an answer block is; a field that is missing or no text is Missing alone.

    Args:
        names: the fields.
        block: where the object stands.
        longest: characters of a field; a longer one is Missing.

    Low: Missing as a whole without the block, and for anything but one JSON object.

    Example:
        >>> read = TextFields(("clear", "final"))
        >>> read('<answer>{"clear": "ab", "final": 7}</answer>')
        {'clear': 'ab', 'final': Missing(why='field `final` is not a text')}
        >>> read("<answer>ab</answer>").why, read('<answer>["ab"]</answer>').why
        ('not JSON', 'JSON, but not an object')
    """

    names: tuple[str, ...]
    block: Block = ANSWER
    longest: int = 2_000

    def __call__(self, text: str) -> Fields | Missing:
        inner = self.block(text)
        if isinstance(inner, Missing):
            return inner
        value = load(inner)
        if isinstance(value, Missing):
            return value
        if not isinstance(value, dict):
            return Missing("JSON, but not an object")
        return {name: self._field(name, value) for name in self.names}

    def _field(self, name: str, found: Mapping[str, Any]) -> str | Missing:
        if name not in found:
            return Missing(f"no field `{name}`")
        value = found[name]
        if not isinstance(value, str):
            return Missing(f"field `{name}` is not a text")
        return (
            value if len(value) <= self.longest else Missing(f"field `{name}` has more than {self.longest} characters")
        )


@dataclass(frozen=True, slots=True)
class FieldsForm:
    """The fields, if the whole reply has the asked form and every field is a text.

    Args:
        fields: what the answer must hold.
        form: text -> something, or `Missing` with what is wrong.

    Example:
        >>> form = FieldsForm(TextFields(("clear",)))
        >>> form('<think>a</think><answer>{"clear": "b"}</answer>')
        {'clear': 'b'}
        >>> form('<think>a</think><answer>{"clear": null}</answer>').why, form('<answer>{"clear": "b"}</answer>').why
        ('field `clear` is not a text', 'does not begin with <think>')
    """

    fields: TextFields
    form: Callable[[str], Any] = THINK_ANSWER

    def __call__(self, text: str) -> Fields | Missing:
        shape = self.form(text)
        if isinstance(shape, Missing):
            return shape
        found = self.fields(text)
        if isinstance(found, Missing):
            return found
        return next((value for value in found.values() if isinstance(value, Missing)), found)
