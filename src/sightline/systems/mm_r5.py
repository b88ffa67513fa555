"""MM-R5: a listwise reranker of page images, paid for the rank of the right pages and for a whole, legal list.

    R        = r_result + r_format
    r_result = sum_j s_j / j^3 / sum_{j <= |G|} 1 / j^3,   s_j = 1[i_j in G]
    r_format = r_valid * r_len * r_range
    r_valid  = 1 if a closed think block stands before an answer block that is a list of ids
    r_len    = max(0, 1 - | |I| - n | / n),   r_range = share of ids inside 1..n

I is the list of the last answer block without repeats, G the ids of the right pages, n the number of pages.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.parse.rankings import RankedIds, TightRankedIds
from sightline.rewards.reranking import HasRanking, RankGain, RankingInRange, RankingLength
from sightline.system import Stage, System

LISTED = RankedIds()
# the released ranking part wants no think block; its format part evaluates the list, and one number is none
RELEASED = TightRankedIds()
RELEASED_LIST = TightRankedIds(after="think", least=2, literal=True)

result = RankGain(LISTED).named("result")
official_result = RankGain(RELEASED).named("result")

valid = HasRanking(RankedIds(after="think")).named("valid")
official_valid = HasRanking(RELEASED_LIST).named("valid")

length = RankingLength(LISTED).named("length")
official_length = RankingLength(RELEASED_LIST, lowest=-float("inf")).named("length")

in_range = RankingInRange(LISTED).named("range")
official_in_range = RankingInRange(RELEASED_LIST).named("range")

SYSTEM = System(
    slug="mm-r5",
    title="MM-R5: MultiModal Reasoning-Enhanced ReRanker via Reinforcement Learning for Document Retrieval",
    arxiv="2506.12364",
    year=2025,
    family="reranking",
    formula="R = r_result + r_valid * r_len * r_range;  r_result = sum_j s_j / j^3 / sum_{j<=|G|} 1 / j^3",
    reward=result + (valid * length * in_range).named("format"),
    official=official_result + (official_valid * official_length * official_in_range).named("format"),
    credit=GroupRelative(eps=1e-4),
    recipe=(
        Stage(
            "cold start",
            "sft",
            {
                "epochs": 1,
                "learning rate": 1e-4,
                "prompts per device": 1,
                "gradient accumulation": 4,
                "lora rank": 8,
                "lora alpha": 32,
                "lora plus ratio": 16,
                "freeze vision": True,
                "devices": 4,
                "base model": "Qwen2.5-VL-7B",
                "data": "7,200 examples: top 5 pages of a query, shuffled; reasoning by a teacher told the labels",
            },
        ),
        Stage(
            "GRPO",
            "grpo",
            {
                "group size": 4,
                "epochs": 1,
                "learning rate": 1e-5,
                "updates per batch": 2,
                "prompts per device": 1,
                "gradient accumulation": 2,
                "lora rank": 64,
                "lora alpha": 128,
                "clip range": 0.2,
                "kl coefficient": 0.04,
                "temperature": 0.9,
                "loss": "grpo",
                "freeze vision": True,
                "devices": 4,
                "data": "3,000 examples drawn evenly over ten bins of image size (sightline.curate.reranking)",
            },
        ),
    ),
    columns={"solution": "the pair [ids of the right pages, number of pages], ids counted from 1, or that as JSON"},
    departs=(
        "the last answer block is read, with any white space; official reads the first one without any",
        "repeated ids count once, everywhere; official pays a list that repeats the best id in full",
        "the length factor ends at 0; official goes below, so a long list can cost more than no list",
        "a list of one id is a list; official cannot read it in the format part",
        "ids are digits; official evaluates them as code, we read what that accepts of digits",
        "lists of more than 200,000 characters are not read",
    ),
    specimen=(
        {
            "completion": "<think>Page 4 has the table.</think><answer>[4, 1, 2, 3, 5]</answer>",
            "solution": [[4], 5],
        },
        {"completion": "<think>Maybe 1.</think>\n<answer>[1, 4, 2, 3, 5]</answer>", "solution": [[4], 5]},
        {"completion": "<think>Only two.</think><answer>[1, 2]</answer>", "solution": [[1], 5]},
        {"completion": "<think>One is best.</think><answer>[1, 1, 1, 1, 1]</answer>", "solution": [[1], 5]},
        {"completion": "<think>Nine?</think><answer>[1, 2, 3, 4, 9]</answer>", "solution": [[1], 5]},
        {"completion": "<answer> [ 02,\n1 ] </answer>", "solution": [[1, 2], 2]},
        {"completion": "<think>Alone.</think><answer>[1]</answer>", "solution": [[1], 1]},
        {"completion": "<think>None fits.</think><answer>[2, 1]</answer>", "solution": [[], 2]},
        {"completion": "page four", "solution": "[[4], 5]"},
    ),
)
