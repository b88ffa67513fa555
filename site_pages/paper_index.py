"""The paper index: every system by its paper, and every paper that a docstring refers to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sightline.system import System
from site_pages.lab_tables import LabTable
from site_pages.markdown import plain, table
from site_pages.system_page import asked

_ARXIV = re.compile(r"\b(\d{4}\.\d{5})\b")
Place = tuple[str, str]  # module, name in it


def page(systems: Sequence[System], lab: Sequence[LabTable], package: Path) -> str:
    """The index page of all systems."""
    rows = [
        (
            f"[{plain(system.slug)}]({system.slug}.md)",
            f"{plain(system.title)} {_link(system.arxiv)}",
            str(system.year),
            plain(system.family),
            asked(system),
            "; ".join(one.verdicts for one in lab if one.is_of(system.slug)),
        )
        for system in sorted(systems, key=lambda system: system.slug)
    ]
    listed = table(["system", "paper", "year", "rewards", "judge", "lab"], rows)
    return (
        f"# Systems\n\n{len(rows)} published reward systems. Each page is made from the system's record, its vectors "
        "and its lab table when this site is built. `judge` is what its reward [asks for](../judges.md), `lab` how "
        "many of the paper's claims [showed at small size](../lab/index.md).\n\n"
        f"{listed}\n## Papers and where they are used\n\n"
        "What in the library refers to which paper, from the references of its docstrings.\n\n"
        f"{_papers(systems, package)}"
    )


def _papers(systems: Sequence[System], package: Path) -> str:
    slugs = {system.arxiv: system.slug for system in systems}
    titles = {system.arxiv: system.title for system in systems}
    cited: dict[str, dict[Place, None]] = {}
    for number, place, title in citations(package):
        cited.setdefault(number, {})[place] = None
        titles.setdefault(number, title)
    rows = []
    for number in sorted({*cited, *(number for number in slugs if _ARXIV.fullmatch(number))}):
        slug = slugs.get(number)
        names = ", ".join(map(_api_link, cited.get(number, {})))
        paper = f"{plain(titles.get(number, ''))} {_link(number)}"
        rows.append((paper, f"[{plain(slug)}]({slug}.md)" if slug else "", names))
    return table(["paper", "system", "used in"], rows)


def citations(package: Path) -> Iterator[tuple[str, Place, str]]:
    """(arXiv number, (module, name), what it is called there) for every public docstring that refers to a paper."""
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0]
        if room in ("systems", "lab", "cli"):
            continue
        module = ".".join(("sightline", *path.relative_to(package).with_suffix("").parts)).removesuffix(".__init__")
        for name, said in _docstrings(ast.parse(path.read_text("utf-8"))):
            words = " ".join(said.partition("References:")[2].split() or said.split())
            for match in _ARXIV.finditer(words):
                yield match[1], (module, name), title_before(words[: match.start()])


def title_before(words: str) -> str:
    """What a reference calls the paper whose number comes next: its last sentence, without `arXiv`.

    Example:
        >>> title_before("Luo et al., When Thinking Drifts, arXiv ")
        'Luo et al., When Thinking Drifts'
        >>> title_before("Eq. 3 of A, arXiv 1111.11111, eq. 3. Shao et al., DeepSeekMath, arXiv ")
        'Shao et al., DeepSeekMath'
    """
    tail = re.split(r"\d{4}\.\d{5}", words)[-1]
    sentence = re.split(r"(?<!\bal)(?<!\beq)(?<!\bEq)[.;] |^[,;.] ", tail)[-1]
    return re.sub(r",? ?arXiv:?\s*$", "", sentence).strip(" ,;(")


def _docstrings(tree: ast.Module) -> Iterable[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, ast.get_docstring(node) or ""


def _link(number: str) -> str:
    return f"[{plain(number)}](https://arxiv.org/abs/{number})" if _ARXIV.fullmatch(number) else plain(number)


def _api_link(place: Place) -> str:
    module, name = place
    return f"[`{name}`][{module}.{name}]"
