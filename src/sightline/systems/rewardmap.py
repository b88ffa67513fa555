r"""RewardMap: planning routes on maps, paid for the details of a route and by difficulty, after easier questions.

    R  = W * (10 * acc + 0.5 * D)      planning
    R  = W * 10 * acc                  yes or no, counting
    W  = W_map + W_question;  W_map = 1.0 / 1.2 / 1.5 for easy / middle / hard;  W_question = 0.5 if T > 0, else 0
    D  = min(10, 2 + sum over segments), 0 if the end stations are wrong: -5 for each segment too many, +3 for a usable
         line (T = 0: +4 if it holds both ends), +1 for a right transfer;  T is the number of transfers

Training goes from yes or no over counting to planning, with the same reward throughout: one file of rows, of which each
stage takes its own, shuffled.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.parse.routes import RouteLines, TightRoute
from sightline.parse.stated import StatedAnswer
from sightline.rewards import Switch
from sightline.rewards.answers import Answer
from sightline.rewards.routes import LookedUp, NeedsTransfer, RightRoute, RouteDetail
from sightline.rewards.stated_answers import SameCount, SameOption, gold_integer, says_yes_or_no
from sightline.system import Stage, System

map_weight = LookedUp("difficulty_city", (("easy", 1.0), ("middle", 1.2), ("hard", 1.5)))
route_weight = (map_weight + 0.5 * NeedsTransfer()).named("difficulty")
answer_weight = map_weight.named("difficulty")

route = RightRoute(RouteLines()).named("accuracy")
detail = RouteDetail(RouteLines()).named("detail")
official_route = RightRoute(TightRoute()).named("accuracy")
official_detail = RouteDetail(TightRoute(), spare=0, both_stops=False).named("detail")

yes_or_no = Answer(says_yes_or_no, StatedAnswer(), read=gold_integer).named("accuracy")
count = Answer(SameCount(), StatedAnswer(), read=gold_integer).named("accuracy")
official_count = Answer(SameCount(point_zero=False), StatedAnswer(), read=gold_integer).named("accuracy")
option = Answer(SameOption(), StatedAnswer(), read=gold_integer).named("accuracy")
official_option = Answer(SameOption(with_text=False), StatedAnswer(), read=gold_integer).named("accuracy")

SETTINGS = {
    "group size": 4,
    "batch size": 16,
    "learning rate": 1e-6,
    "kl coefficient": 1e-2,
    "temperature": 1.0,
    "epochs": 1,
    "max prompt tokens": 20000,
    "max completion tokens": 2048,
    "max image pixels": 128_450_560,
    "base model": "Qwen2.5-VL-7B",
}
LINES = {
    "Line 1": ["Alpha", "Beta (Transfer Station)", "Gamma (Transfer Station)", "Delta"],
    "Line 2": ["Gamma (Transfer Station)", "Epsilon", "Zeta"],
    "Line 3": ["Beta (Transfer Station)", "Omega"],
}
PLAN = {
    "type": "planning",
    "station_1": "Alpha",
    "station_2": "Zeta",
    "difficulty_city": "middle",
    "question_transfer_count": 1,
    "json": LINES,
}
FIRST = "Route Name: Line 1\nDeparture Stop: Alpha\nArrival Stop: Gamma\n"
SECOND = "Route Name: Line 2\nDeparture Stop: Gamma\nArrival Stop: Zeta"

SYSTEM = System(
    slug="rewardmap",
    title="RewardMap: Tackling Sparse Rewards in Fine-grained Visual Reasoning via Multi-Stage Reinforcement Learning",
    arxiv="2510.02240",
    year=2025,
    family="routes on maps",
    formula="R = (W_map + W_question) * (10 * acc + 0.5 * D);  D = min(10, 2 + points of the segments)",
    reward=Switch(
        "type",
        {
            "planning": route_weight * (10 * route + 0.5 * detail),
            "TorF1": answer_weight * (10 * yes_or_no),
            "TorF2": answer_weight * (10 * yes_or_no),
            "Counting1": answer_weight * (10 * option),
            "Counting2": answer_weight * (10 * count),
            "Counting3": answer_weight * (10 * count),
        },
    ),
    official=Switch(
        "type",
        {
            "planning": route_weight * (10 * official_route + 0.5 * official_detail),
            "TorF1": answer_weight * (10 * yes_or_no),
            "TorF2": answer_weight * (10 * yes_or_no),
            "Counting1": answer_weight * (10 * official_option),
            "Counting2": answer_weight * (10 * official_count),
            "Counting3": answer_weight * (10 * official_count),
        },
    ),
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage("yes or no", "grpo", {**SETTINGS, "rows": {"type": ["TorF1", "TorF2"]}}),
        Stage("counting", "grpo", {**SETTINGS, "rows": {"type": ["Counting2", "Counting3"]}}),
        Stage("counting options", "grpo", {**SETTINGS, "rows": {"type": ["Counting1"]}}),
        Stage("planning", "grpo", {**SETTINGS, "rows": {"type": ["planning"]}}),
    ),
    columns={
        "type": "planning, TorF1, TorF2, Counting1, Counting2 or Counting3",
        "difficulty_city": "easy, middle or hard: the map",
        "answer": "all but planning: an integer; yes is 1, an option its place 0..3",
        "station_1": "planning: where the route begins",
        "station_2": "planning: where it ends",
        "question_transfer_count": "planning: how many transfers the route needs",
        "json": "planning: line name -> ordered stations, that as JSON, or the path of a file that holds it",
    },
    departs=(
        "route keys count in any case at the beginning of a line, and an arrival ends with its line; official asks for "
        "the exact case, and an arrival swallows all text behind it",
        "only segments beyond T + 1 cost 5; official takes 5 from the last segment of every right route",
        "a line earns points if both stops lie on it; official pays any line that exists",
        "7.0 is 7, and a letter may be followed by its option's text; official accepts neither",
        "routes of more than 100 segments are never right, and only their first 100 segments lose or earn points, in "
        "both variants",
        "each stage of the curriculum is a run of its own: optimizer, schedule and the reference of the KL term begin "
        "anew; official is one run over the ordered rows",
        "without a separate format term, as released: a route that cannot be read earns 0",
    ),
    specimen=(
        {"completion": f"{FIRST}--\n{SECOND}", **PLAN},
        {"completion": f"Here you are:\n{FIRST}--\n{SECOND}\nHave a good trip.", **PLAN},
        {"completion": f"{FIRST}--\n{SECOND}".lower(), **PLAN, "difficulty_city": "hard"},
        {"completion": FIRST.replace("Gamma", "Zeta"), **PLAN, "difficulty_city": "easy"},
        {"completion": FIRST.replace("Gamma", "Delta"), **PLAN, "station_2": "Delta", "question_transfer_count": 0},
        {"completion": "Take Line 1, then Line 2.", **PLAN},
        {"completion": "So \\boxed{yes}", "type": "TorF1", "answer": 1, "difficulty_city": "hard"},
        {"completion": "The answer is no.", "type": "TorF2", "answer": 0, "difficulty_city": "easy"},
        {"completion": "\\boxed{B) two}", "type": "Counting1", "answer": 1, "difficulty_city": "easy"},
        {"completion": "\\boxed{7.0}", "type": "Counting2", "answer": 7, "difficulty_city": "middle"},
        {"completion": "7 stops", "type": "Counting3", "answer": 7, "difficulty_city": "middle"},
    ),
)
