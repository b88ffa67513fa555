"""A table that code builds from literals, taken from its syntax tree. Nothing is ever executed.

`FrameLiteral` reads the construction of one pandas DataFrame; `csv_table` reads what the data calls right. Knows
nothing of how tables are compared.
"""

from __future__ import annotations

import ast
import csv
import io
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from sightline.core.missing import Missing
from sightline.parse.json import Fence

Cell: TypeAlias = "float | int | str | bool | None"
LONGEST = 20_000  # characters of code
MOST_COLUMNS = 100
_EXACT = 2**63
_MODULES = ("pd", "pandas")
_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Table(NamedTuple):
    """Columns of equal length under names that differ.

    Args:
        names: of the columns, in order.
        columns: their cells; None is a missing value.
    """

    names: tuple[str, ...]
    columns: tuple[tuple[Cell, ...], ...]

    @property
    def rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0


class _NoLiteral(Exception):  # noqa: N818 - never leaves this module
    """A node that is no literal; the message says which."""


@dataclass(frozen=True, slots=True)
class FrameLiteral:
    r"""The DataFrame that the last fenced code block binds to a name, if it is made of literals only.

    The first top-level assignment to `variable` whose value is a call named DataFrame, pd.DataFrame or
    pandas.DataFrame counts. Its data is a dict of lists, a list of dicts (absent keys are missing values), or a list of
    lists with `columns=`; it is the first argument or `data=`. Names bound before to literals at top level stand for
    them, until a statement stores into them or calls a method of theirs; + - * / and signs on numbers are computed.

    Args:
        variable: the name.
        fence: which code block is read.

    Low: Missing for anything else: other calls, comprehensions, subscripts, attributes, unequal or no columns, equal
    column names, and code of more than 20,000 characters or 100 columns.

    Example:
        >>> code = "```python\nv = [10, 2 * 10]\nchart_data = pd.DataFrame({'Year': [2019, 2020], 'Sales': v})\n```"
        >>> FrameLiteral()(code)
        Table(names=('Year', 'Sales'), columns=((2019, 2020), (10, 20)))
        >>> FrameLiteral()("```python\nchart_data = pd.DataFrame({'x': list(range(3))})\n```").why
        'a call is no literal'
    """

    variable: str = "chart_data"
    fence: Fence = Fence(None, which="last", strip=False)

    def __call__(self, text: str) -> Table | Missing:
        code = self.fence(text)
        if isinstance(code, Missing):
            return code
        if len(code) > LONGEST:
            return Missing(f"code of more than {LONGEST} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd escapes in a policy's strings are nobody's business here
                body = ast.parse(code.strip("\n")).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return Missing("the code is no Python")
        try:
            return self._bound(body)
        except _NoLiteral as error:
            return Missing(str(error))
        except (ArithmeticError, RecursionError):
            return Missing("arithmetic that has no result")

    def _bound(self, body: Sequence[ast.stmt]) -> Table | Missing:
        known: dict[str, Any] = {}
        for statement in body:
            names, value = _assignment(statement)
            if self.variable in names and isinstance(value, ast.Call) and _makes_frame(value.func):
                return _frame(value, known)
            try:
                found = _literal(value, known) if names and value is not None else None
            except (_NoLiteral, ArithmeticError):
                value = None
            if value is not None:
                known.update(dict.fromkeys(names, found))
                continue
            for name in _touched(statement):
                known.pop(name, None)
        return Missing(f"no DataFrame is bound to {self.variable}")


def _assignment(statement: ast.stmt) -> tuple[list[str], ast.expr | None]:
    """The names that a statement binds, and to what, if it binds nothing but names."""
    if isinstance(statement, ast.Assign):
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        return (names, statement.value) if len(names) == len(statement.targets) else ([], None)
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id], statement.value
    return [], None


def _touched(statement: ast.stmt) -> list[str]:
    """The names that a statement binds, or whose value it may change by a part or a method of theirs."""
    touched = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            touched.append(node.id)
        elif isinstance(node, ast.Call):
            touched += _owner(node.func)
        elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            touched += _owner(node)
    return touched


def _owner(node: ast.expr) -> list[str]:
    """The name in front of all attributes and subscripts: `v` of `v[0].append`; none of a plain name."""
    inner = node
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    return [inner.id] if isinstance(inner, ast.Name) and inner is not node else []


def _makes_frame(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id == "DataFrame"
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return False
    return function.attr == "DataFrame" and function.value.id in _MODULES


def _literal(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """The value of a literal.

    Raises:
        _NoLiteral: it is none.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
        return node.value
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _number(_literal(node.operand, known))
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        sides = _number(_literal(node.left, known)), _number(_literal(node.right, known))
        result = _OPERATORS[type(node.op)](*sides)
        # repeated squaring must not build a number of a million digits
        return float(result) if abs(result) > _EXACT else result
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item, known) for item in node.elts]
    if isinstance(node, ast.Dict):
        return _pairs(node, known)
    raise _NoLiteral(f"{_kind(node)} is no literal")


def _kind(node: ast.expr) -> str:
    named = {ast.Call: "a call", ast.Attribute: "an attribute", ast.Subscript: "a subscript", ast.Name: "an open name"}
    return named.get(type(node), type(node).__name__)


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _NoLiteral("arithmetic on what is no number")
    return value


def _pairs(node: ast.Dict, known: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            raise _NoLiteral("** is no literal")
        name = _name(_literal(key, known))
        if name in found:
            raise _NoLiteral(f"two columns are named {name!r:.40}")
        found[name] = _literal(value, known)
    return found


def _name(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _NoLiteral("a column's name is no text")
    return str(value)


def _frame(call: ast.Call, known: Mapping[str, Any]) -> Table | Missing:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given or len(call.args) > 1 or (call.args and "data" in given):
        return Missing("arguments that cannot be read")
    data = call.args[0] if call.args else given.get("data")
    if data is None:
        return Missing("no columns")
    value = _literal(data, known)
    names = None if "columns" not in given else [_name(one) for one in _listed(_literal(given["columns"], known))]
    if isinstance(value, dict):
        return _table({name: _listed(column) for name, column in value.items()}, names)
    rows = _listed(value)
    if all(isinstance(row, dict) for row in rows) and rows:
        keys = dict.fromkeys(key for row in rows for key in row)
        return _table({key: [row.get(key) for row in rows] for key in keys}, names)
    if names is None or len(names) > MOST_COLUMNS:
        return Missing("rows without names of columns" if names is None else f"more than {MOST_COLUMNS} columns")
    if len(set(names)) < len(names):
        return Missing("two columns have one name")
    if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        return Missing("columns of unequal length")
    return _table({name: [row[at] for row in rows] for at, name in enumerate(names)}, None)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _NoLiteral("a column is no list")
    return value


def _table(columns: Mapping[str, list[Any]], names: Sequence[str] | None) -> Table | Missing:
    """The table of some columns, or of those that `names` picks; a picked one that is not there is missing values."""
    length = len(next(iter(columns.values()), []))
    if names is not None:
        if len(set(names)) < len(names):
            return Missing("two columns have one name")
        columns = {name: columns.get(name, [None] * length) for name in names}
    if not columns:
        return Missing("no columns")
    if len(columns) > MOST_COLUMNS:
        return Missing(f"more than {MOST_COLUMNS} columns")
    if any(len(column) != length for column in columns.values()):
        return Missing("columns of unequal length")
    if any(isinstance(cell, list | dict) for column in columns.values() for cell in column):
        return Missing("a cell that is no single value")
    return Table(tuple(columns), tuple(tuple(column) for column in columns.values()))


def csv_table(value: Any) -> Table | Missing:
    r"""A gold table: CSV text with a header, rows of which the first is the header, or a mapping of columns.

    An empty field of CSV text is a missing value.

    Example:
        >>> csv_table("Year,Sales (M)\n2019,10\n2020,\n")
        Table(names=('Year', 'Sales (M)'), columns=(('2019', '2020'), ('10', None)))
        >>> csv_table({"Year": [2019]}) == csv_table([["Year"], [2019]])
        True
    """
    if isinstance(value, str):
        try:
            rows = [row for row in csv.reader(io.StringIO(value.strip()), skipinitialspace=True) if row]
        except csv.Error as error:
            return Missing(f"CSV text that cannot be read: {error}")
        value = [rows[0], *([cell or None for cell in row] for row in rows[1:])] if rows else []
    if isinstance(value, Mapping):
        columns = {str(name): [*column] for name, column in value.items() if hasattr(column, "__iter__")}
        return _table(columns, None) if len(columns) == len(value) else Missing("a column is no list")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, Sequence) or not value or not all(_is_row(row) for row in value):
        return Missing("it needs CSV text, rows with a header, or columns by name")
    header, *rows = ([*row] for row in value)
    if any(len(row) != len(header) for row in rows):
        return Missing("its rows have unequal numbers of cells")
    if len({str(name) for name in header}) < len(header):
        return Missing("two columns have one name")
    return _table({str(name): [row[at] for row in rows] for at, name in enumerate(header)}, None)


def _is_row(value: Any) -> bool:
    return not isinstance(value, str | Mapping) and hasattr(value, "__iter__")
