"""Steps of a solution keep their places; forms of replies that think and box."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.steps import MOST_STEPS, Steps
from sightline.parse.think_boxed import ThinkBoxed


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", []),
        (" \n\n ", []),
        ("a\nb\n\n c ", ["a", "b", "c"]),
        ("Step 1: a step 2: b", ["Step 1: a", "step 2: b"]),
        ("first, STEP 2: b\nStep 3) c", ["first,", "STEP 2: b", "Step 3) c"]),
        ("as in step 2. we halve (step 1) it", ["as in step 2. we halve (step 1) it"]),
        (
            "**Step 1:** a **Step 2**: b\n### Step 3: c\n- step 4: d",
            ["**Step 1:** a", "**Step 2**: b", "### Step 3: c", "- step 4: d"],
        ),
        ("---\n😀", ["---", "😀"]),
        ("footstep 2: no head", ["footstep 2: no head"]),
        ("in step 2 nothing", ["in step 2 nothing"]),
    ],
)
def test_steps(text: str, steps: list[str]) -> None:
    assert [step.text for step in Steps()(text)] == steps


@given(st.text(alphabet="ab \nStep 12:.", max_size=60))
def test_places_are_those_of_the_text_in_order_and_lose_no_word(text: str) -> None:
    found = Steps()(text)
    assert all(text[step.start : step.end] == step.text == step.text.strip() != "" for step in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert "".join("".join(step.text.split()) for step in found) == "".join(text.split())


def test_only_a_part_of_the_text() -> None:
    text = "<think>a\nb</think> c"
    assert [step.text for step in Steps((7, 10))(text)] == ["a", "b"]


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("text", ["\n" * 200_000, "step 1: " * 30_000, "a\n" * 100_000, "step " * 50_000])
def test_hostile_texts_take_no_time(text: str) -> None:
    assert len(Steps()(text)) <= MOST_STEPS
    assert ThinkBoxed()(text) is not True


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("<think>a</think>\\boxed{1}", True),
        ("\n <think>a</think> so \\boxed{1} done ", True),
        ("<think></think></think>\\boxed{}", True),
        ("so <think>a</think>\\boxed{1}", False),
        ("<think>\\boxed{1}</think>", False),
        ("<think>a</think>\\boxed{1", False),
    ],
)
def test_think_then_box(text: str, right: bool) -> None:
    assert (not isinstance(ThinkBoxed()(text), Missing)) == right
