"""Names of stations and lines in one spelling, so that the spellings of maps, tables and policies compare equal.

The chain of replacements is that of a published scorer, applied to both sides; that it spoils some words does not
matter for equality.
"""

from __future__ import annotations

import re

# in this order; case matters until the end
_REPLACED = (
    *(("Metro", ""), ("metro", ""), (",", ""), ("*", ""), ("\n", ""), ("'", "")),
    *(("Univ.", "University"), ("Univ", "University"), ("Tech.", "Technology"), ("Tech", "Technology")),
    *(("road", "lu"), ("Road", "lu"), ("Station", ""), ("station", ""), ("Asian Games Village", "yayuncun")),
)
_BRACKETED = re.compile(r"\([^)]*+\)|（[^）]*+）")
_BLANK_OR_HYPHEN = re.compile(r"[\s\-]+")
SUFFIXES = (
    *("(Transfer Station)", "(Branch-starting Station)", "（换乘站）", "（支线起始站）"),
    *("(换乘站)", "(支线起始站)"),
)
_LONGEST = 10_000  # characters; no name is longer, and brackets that never close would cost the square of it


def station_key(name: str) -> str:
    """A station's name in the spelling in which names are compared.

    What has more than 10,000 characters is no name: its key is that of its beginning and its length.

    Example:
        >>> station_key("St. Mary's Road Station (North)"), station_key("西单站"), station_key("Tech Park-East")
        ('st.maryslu', '西单', 'technologyparkeast')
    """
    if len(name) > _LONGEST:
        return f"{name[:20].lower()}..{len(name)}"
    for old, new in _REPLACED:
        name = name.replace(old, new)
    name = name.removesuffix("站")
    return _BLANK_OR_HYPHEN.sub("", _BRACKETED.sub("", name)).lower()


def bare_station(name: str) -> str:
    """A station's name as tables have it, without remarks on transfers and branches.

    Example:
        >>> bare_station("Smestad Station (Transfer Station)"), bare_station("西单（换乘站）")
        ('Smestad Station', '西单')
    """
    for suffix in SUFFIXES:
        name = name.replace(suffix, "")
    return name.strip()
