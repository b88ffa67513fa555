"""Every worked example and every known fault of every system, as its vector file has them."""

from __future__ import annotations

from pathlib import Path

import pytest

import sightline
from sightline.check import read, run

VECTORS = Path(__file__).parents[1] / "vectors"
CASES = [
    (slug, case) for slug in sightline.names() for case in read(VECTORS / f"{sightline.load(slug).file_name}.json")
]


@pytest.mark.parametrize(("slug", "case"), CASES, ids=[f"{slug}: {case['what']}" for slug, case in CASES])
def test_vector(slug: str, case: dict[str, object]) -> None:
    assert case.get("source"), "a case names its source"
    (result,) = run(sightline.load(slug), [case])
    assert result.passed, f"expected {result.expected}, got {result.got}"


@pytest.mark.parametrize("slug", sightline.names())
def test_both_variants_are_covered(slug: str) -> None:
    if sightline.load(slug).official is not None:
        variants = {case.get("variant", "strict") for name, case in CASES if name == slug}
        assert variants == {"strict", "official"}
