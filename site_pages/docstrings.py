"""What mkdocstrings is told about docstrings: `Example:` holds doctests, references are a paragraph with links."""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^( *)Example:$", re.MULTILINE)
_REFERENCES = re.compile(r"^( *)References:\n((?:\1 +.*\n?|\n)+)", re.MULTILINE)
_ARXIV = re.compile(r"\barXiv (\d{4}\.\d{5})\b")
_TAG = re.compile(r"<(?=[a-z/])")


class Docstrings(griffe.Extension):
    """Docstrings as the site shows them."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = shown(obj.docstring.value)


def shown(text: str) -> str:
    """A docstring with its sections under the names that griffe knows, and with nothing that HTML would swallow.

    Example:
        >>> shown("Inside <b> or `<b>`.\\n\\nReferences:\\n    A, arXiv 1234.56789, eq. 1.")
        'Inside &lt;b> or `<b>`.\\n\\n**Source:** A, [arXiv 1234.56789](https://arxiv.org/abs/1234.56789), eq. 1.\\n'
    """
    text = _EXAMPLE.sub(r"\1Examples:", text)
    text = _REFERENCES.sub(_source, text)
    text = "\n".join(_outside_code(line) for line in text.split("\n"))
    return _ARXIV.sub(r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def _source(match: re.Match[str]) -> str:
    return f"{match[1]}**Source:** {' '.join(match[2].split())}\n"


def _outside_code(line: str) -> str:
    if line.startswith("    ") or ">>>" in line:  # formulas and doctests stand as they are
        return line
    pieces = line.split("`")
    return "`".join(piece if number % 2 else _TAG.sub("&lt;", piece) for number, piece in enumerate(pieces))
