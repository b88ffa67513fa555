"""Tables from code that is never run: what is a literal, what is not, and what nothing costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Missing
from sightline.parse.tables import FrameLiteral, Table, csv_table

names = st.lists(st.text("abc XY", min_size=1, max_size=6), min_size=1, max_size=4, unique=True)
cells = st.integers(-999, 999) | st.floats(-9, 9) | st.booleans() | st.none() | st.text("ab 1", max_size=4)


def parsed(frame: str, before: str = "") -> Table | Missing:
    return FrameLiteral()(f"so\n```python\nimport pandas as pd\n{before}chart_data = {frame}\nprint(chart_data)\n```\n")


@given(names, st.integers(0, 4), st.data())
def test_every_form_gives_the_same_table(columns: list[str], rows: int, data: st.DataObject) -> None:
    values = [data.draw(st.lists(cells, min_size=rows, max_size=rows)) for _ in columns]
    wanted = Table(tuple(columns), tuple(tuple(column) for column in values))
    by_name = dict(zip(columns, values, strict=True))
    lines = [list(row) for row in zip(*values, strict=True)]
    assert parsed(f"pd.DataFrame({by_name!r})") == wanted
    assert parsed(f"DataFrame(data={lines!r}, columns={columns!r})") == wanted
    if rows:
        assert parsed(f"pandas.DataFrame({[dict(zip(columns, line, strict=True)) for line in lines]!r})") == wanted
    assert csv_table(by_name) == wanted


@pytest.mark.parametrize(
    "frame",
    [
        "pd.DataFrame({'a': [x for x in [1]]})",
        "pd.DataFrame({'a': [int('1')]})",
        "pd.DataFrame({'a': [1]}['a'])",
        "pd.DataFrame({'a': [2 ** 3]})",
        "pd.DataFrame({'a': ['x' + 'y']})",
        "pd.DataFrame({'a': [f'{1}']})",
        "pd.DataFrame({'a': [b'x']})",
        "pd.DataFrame({'a': [1j]})",
        "pd.DataFrame({'a': {1, 2}})",
        "pd.DataFrame({'a': 1})",
        "pd.DataFrame({**{'a': [1]}})",
        "pd.DataFrame(*[{'a': [1]}])",
        "pd.DataFrame({'a': [1]}, {'b': [1]})",
        "pd.DataFrame([1, 2], columns=['a'])",
        "pd.DataFrame({'a': [1 / 0]})",
        "pd.DataFrame({'a': [-True]})",
        "pd.DataFrame({True: [1]})",
        "np.DataFrame({'a': [1]})",
        "pd.core.DataFrame({'a': [1]})",
        "DataFrame.from_dict({'a': [1]})",
        "lambda: pd.DataFrame({'a': [1]})",
    ],
)
def test_what_is_no_literal_is_missing(frame: str) -> None:
    assert isinstance(parsed(frame), Missing)


def test_names_stand_for_what_was_bound_before() -> None:
    frame = "pd.DataFrame({'a': v})"
    assert parsed(frame, "v = w = [1, 2]\n") == Table(("a",), ((1, 2),))
    assert parsed(frame, "v: list = [1]\n") == Table(("a",), ((1,),))
    assert parsed(frame, "b = 2\nv = [b, -b, b * 1.5]\n") == Table(("a",), ((2, -2, 3.0),))
    assert parsed(frame, "b = 2\nb = b + 1\nv = [b]\n") == Table(("a",), ((3,),))
    loop = "v = [1]\nfor v in ():\n    pass\n"
    changed = [f"v = [1]\n{step}\n" for step in ("v.append(2)", "v[0] = 2", "v, w = [2], [3]", "del v[0]", "v[0].x()")]
    for spoilt in ("v = [1]\nv = f()\n", loop, "v = [1]\nv += [2]\n", "if 1:\n    v = [1]\n", *changed):
        assert isinstance(parsed(frame, spoilt), Missing)
    for harmless in ("print(v)", "w = v", "w = [v[0]]", "w = len(v)"):
        assert parsed(frame, f"v = [1]\n{harmless}\n") == Table(("a",), ((1,),))


def test_columns_pick_from_named_data() -> None:
    assert parsed("pd.DataFrame({'a': [1], 'b': [2]}, columns=['b', 'c'])") == Table(("b", "c"), ((2,), (None,)))


def test_only_the_last_closed_block_is_read() -> None:
    code = "```python\nchart_data = pd.DataFrame({'a': [1]})\n```"
    assert FrameLiteral()(f"{code}\n{code.replace('1', '2')}") == Table(("a",), ((2,),))
    assert isinstance(FrameLiteral()(f"{code}\n```\nnothing\n```"), Missing)
    assert FrameLiteral()(f"{code}\n```python\nchart_data = ") == Table(("a",), ((1,),))


@pytest.mark.parametrize(
    "code",
    [
        "chart_data = pd.DataFrame({'a': [" + "1," * 9_000 + "]})",
        "chart_data = pd.DataFrame(" + "[" * 9_000,
        "chart_data = pd.DataFrame({'a': [" + "-" * 9_000 + "1]})",
        "chart_data = pd.DataFrame({'a': [" + "1+" * 9_000 + "1]})",
        "".join(f"a{i} = [a{i - 1}, a{i - 1}]\n" for i in range(900)) + "chart_data = pd.DataFrame({'a': a899})",
        "chart_data = pd.DataFrame({" + ",".join(f"'{i}':[]" for i in range(1500)) + "})",
        "x = 9\n" + "x = x * x\n" * 1_500 + "chart_data = pd.DataFrame({'a': [x]})",
        "\x00",
        "'\\q'",
        "(" * 200 + ")" * 200,
        "x" * 10**6,
    ],
    ids=lambda code: code[:24].replace("\x00", "NUL"),
)
@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_hostile_code_neither_raises_nor_stalls(code: str) -> None:
    found = FrameLiteral()(f"```python\n{code}\n```")
    assert isinstance(found, Table | Missing)


@pytest.mark.parametrize("value", ["", "a,b\n1\n", "a,a\n1,2\n", 7, [], [1, 2], {"a": 1}, {"a": [1], "b": []}, None])
def test_gold_tables_that_are_none(value: object) -> None:
    assert isinstance(csv_table(value), Missing)
