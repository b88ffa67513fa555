"""Plain text as Markdown that shows exactly that text: nothing a policy or a formula wrote becomes markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

_MARKUP = re.compile(r"[\\`*_{}\[\]<>&|~$^#!]")


def plain(text: Any) -> str:
    r"""Text with every character that Markdown or HTML reads as markup replaced by its entity.

    Example:
        >>> plain("a_1 * <b>")
        'a&#95;1 &#42; &#60;b&#62;'
    """
    return _MARKUP.sub(lambda match: f"&#{ord(match.group())};", " ".join(str(text).split()))


def prose(text: str) -> str:
    """A paragraph whose `code` stays code and whose rest is shown as it is.

    Example:
        >>> prose("`R_fmt` of a <think> block")
        '<code>R&#95;fmt</code> of a &#60;think&#62; block'
    """
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # a lone backtick opens nothing
        return plain(text)
    return "".join(_around(piece, number % 2 == 1) for number, piece in enumerate(pieces))


def _around(piece: str, is_code: bool) -> str:
    if is_code:
        return f"<code>{plain(piece)}</code>"
    lead, tail = piece[: len(piece) - len(piece.lstrip())], piece[len(piece.rstrip()) :]
    return f"{lead and ' '}{plain(piece)}{tail and piece.strip() and ' '}"


def code(text: Any, longest: int = 160) -> str:
    """Text as inline code, cut in the middle if it is long; invisible characters are shown by their escapes.

    Example:
        >>> code("ab\\ncd"), code("abcdefghij", longest=5)
        ('<code>ab&#92;ncd</code>', '<code>abc…ij</code>')
    """
    shown = "".join(map(_visible, str(text)))
    if len(shown) > longest:
        head = (longest + 1) // 2
        shown = f"{shown[:head]}…{shown[len(shown) - (longest - head) :]}"
    return f"<code>{_MARKUP.sub(lambda match: f'&#{ord(match.group())};', shown)}</code>" if shown else "<i>empty</i>"


def label(text: str) -> str:
    """A name as code that is never broken over lines."""
    return code(text).replace("<code>", '<code class="name">', 1)


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def block(text: str, language: str = "text") -> str:
    """Text as a fenced block that its own backticks cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def folded(title: str, body: str, kind: str = "note") -> str:
    """A block that opens on click."""
    inner = "\n".join(f"    {line}" if line else "" for line in body.splitlines())
    return f'??? {kind} "{html.escape(title)}"\n\n{inner}\n'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells, which are Markdown already, as a table; empty without rows.

    Example:
        >>> print(table(["a", "b"], [["1", "2"]]), end="")
        | a | b |
        |---|---|
        | 1 | 2 |
    """
    body = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n{body}" if body else ""


def docstring(text: str) -> str:
    """A module docstring as Markdown: indented lines as they stand, the rest as prose, lists as lists."""
    return "\n\n".join(_paragraph(part) for part in re.split(r"\n\s*\n", text.strip("\n")))


def _paragraph(part: str) -> str:
    lines = part.splitlines()
    shown: list[tuple[str, str]] = []
    words: list[str] = []
    for line in lines:
        if line.startswith("    ") and not words:
            shown.append(("code", line[4:]))
        elif line.startswith("    "):
            shown += [("prose", " ".join(words)), ("code", line[4:])]
            words = []
        elif re.match(r"- |\d+\. ", line):
            shown += [("prose", " ".join(words))] if words else []
            words = [line]
        else:
            words.append(line.strip())
    shown += [("prose", " ".join(words))] if words else []
    return _joined(shown)


def _joined(pieces: list[tuple[str, str]]) -> str:
    found: list[str] = []
    lines: list[str] = []
    for kind, text in (*pieces, ("end", "")):
        if kind == "code":
            lines.append(text)
            continue
        if lines:
            found.append(block("\n".join(lines)))
            lines = []
        if kind == "prose":
            found.append(_item(text))
    return "\n".join(found)


def _item(text: str) -> str:
    marker = re.match(r"- |\d+\. ", text)
    return prose(text) if marker is None else marker.group() + prose(text[marker.end() :])
