"""Route rewards: right routes earn most, floods earn least, and what the data must be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.lab.worlds.transit import Transit, read_networks, transfers_between
from sightline.rewards.routes import RightRoute, RouteDetail, network

SHARED = Path(os.environ.get("SIGHTLINE_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
LINES = {
    "Line 1": ["Alpha", "Beta", "Gamma", "Delta"],
    "Line 2": ["Gamma", "Epsilon", "Zeta"],
    "Line 3": ["Beta", "Omega"],
}
ROW = {
    **{"type": "planning", "station_1": "Alpha", "station_2": "Zeta", "question_transfer_count": 1},
    **{"difficulty_city": "easy", "json": LINES},
}


def written(*route: tuple[str, str, str]) -> str:
    return "\n--\n".join(f"Route Name: {a}\nDeparture Stop: {b}\nArrival Stop: {c}" for a, b, c in route)


def shortest(lines: dict[str, list[str]], start: str, end: str, changes: int) -> list[tuple[str, str, str]] | None:
    """A ride with this many transfers, by trying all."""
    for name, stations in lines.items():
        if start not in stations:
            continue
        if changes == 0:
            if end in stations:
                return [(name, start, end)]
            continue
        for stop in stations:
            rest = shortest(lines, stop, end, changes - 1) if stop != start else None
            if rest is not None:
                return [(name, start, stop), *rest]
    return None


RIGHT = (("Line 1", "Alpha", "Gamma"), ("Line 2", "Gamma", "Zeta"))


def rewarded(text: str, variant: str = "strict", **columns: Any) -> float:
    batch = Batch.from_rows([{"completion": text, **ROW, **columns}])
    return float(sightline.load("rewardmap").variant(variant)(batch).values[0])


def planned(rows: list[dict[str, Any]]) -> Batch:
    """Rows with a shortest ride as their completion."""
    keys = ("json", "station_1", "station_2", "question_transfer_count")
    return Batch.from_rows([{**row, "completion": written(*shortest(*map(row.get, keys)))} for row in rows])


stops = st.sampled_from([*LINES["Line 1"], *LINES["Line 2"], "Omega"])


@given(st.lists(st.tuples(st.sampled_from([*LINES, "Line 9"]), stops, stops), min_size=1, max_size=4))
def test_no_other_route_earns_more_than_the_right_one(route: list[tuple[str, str, str]]) -> None:
    best = rewarded(written(("Line 1", "Alpha", "Gamma"), ("Line 2", "Gamma", "Zeta")))
    assert rewarded(written(*route)) <= best == 21.75


def test_released_details_prefer_a_false_segment() -> None:
    released = RouteDetail(spare=0, both_stops=False)
    said = (written(("Line 1", "Alpha", "Zeta")), written(*RIGHT))
    details = [released(Batch.from_rows([{"completion": text, **ROW}])).values[0] for text in said]
    assert details == [5.0, 4.0]


def test_every_plan_of_the_world_is_right_and_earns_the_most() -> None:
    rows = Transit(kinds=("planning",)).rows(40, seed=3)
    scores = sightline.load("rewardmap").reward(planned(rows))
    assert scores.parts["accuracy"].values.all()
    assert (scores.parts["detail"].values >= 6).all()


def test_real_networks() -> None:
    folder = SHARED / "reasonmap" / "stations"
    if not folder.exists():
        pytest.skip(f"no shared data at {SHARED}")
    networks = read_networks(folder)
    assert len(networks) == 30
    rows = Transit(kinds=("planning",), networks=networks).rows(40, seed=1)
    rows = [row for row in rows if row["question_transfer_count"] <= 2]
    right = RightRoute()(planned(rows))
    assert len(rows) > 20
    assert right.values.all(), [why for why in right.why if why]
    path = sorted(folder.rglob("oslo.json"))[0]
    oslo = dict(networks)["oslo"]
    assert network(str(path)).lines == network({k: list(v) for k, v in oslo.items()}).lines


def test_networks_as_text_file_and_with_holes(tmp_path: Path) -> None:
    path = tmp_path / "city.json"
    path.write_text(json.dumps(LINES))
    wanted = network(LINES)
    assert network(str(path)) == network(json.dumps(LINES)) == network({**LINES, "Line 8": None}) == wanted


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("json", "no such file.json"),
        ("json", "{"),
        ("json", {}),
        ("json", {"Line 1": "Alpha"}),
        ("json", None),
        ("station_1", None),
        ("station_2", " "),
        ("question_transfer_count", None),
        ("question_transfer_count", -1),
        ("question_transfer_count", 1.5),
        ("difficulty_city", "medium"),
        ("type", "walking"),
    ],
)
def test_wrong_data_is_the_callers(column: str, value: object) -> None:
    with pytest.raises(ColumnError, match=f"column `{column}` of row 0"):
        rewarded("x", **{column: value})


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_floods_of_segments_lose_and_cost_little() -> None:
    flood = written(*[("Line 1", "Alpha", "Gamma"), ("Line 1", "Gamma", "Alpha")] * 8_000, ("Line 2", "Gamma", "Zeta"))
    value = rewarded(flood)
    assert value < -100
    low, high = sightline.load("rewardmap").reward.bounds()
    assert low <= value <= high


def test_transfers_are_counted_by_lines() -> None:
    assert transfers_between(LINES, "Alpha", "Zeta") == 1
    assert transfers_between(LINES, "Omega", "Zeta") == 2
    assert transfers_between({"a": ["x"], "b": ["y"]}, "x", "y") is None


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_large_batches_are_fast() -> None:
    size = 5_000
    text = written(("Line 1", "Alpha", "Gamma"), ("Line 2", "Gamma", "Zeta"))
    batch = Batch([text] * size, {name: [value] * size for name, value in ROW.items()})
    assert np.allclose(sightline.load("rewardmap").reward(batch).values, 21.75)
