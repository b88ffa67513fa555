"""Rollouts per second of the detection rewards, beside the ways people compute them today. One process, one core.

    python benchmarks/rewards.py

`one COCO object a rollout` builds pycocotools objects for every completion, as released AP rewards do. `scipy loop` is
the usual Hungarian reward: for one completion at a time `json.loads`, a cost matrix, box by box or in numpy, and
scipy's assignment. `bare loop` has neither numpy nor scipy: a regular expression, `json.loads`, and nested loops over
boxes. All compute the same numbers; the script stops if they do not.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import linear_sum_assignment

from sightline.core import Batch
from sightline.rewards.box_criteria import BoxPrecision, BoxRecall
from sightline.rewards.box_score import BoxScore
from sightline.rewards.format import Format
from sightline.rewards.labelled_boxes import AveragePrecision
from sightline.rewards.matched_boxes import BoxConfidence, BoxFit

ROLLOUTS, GROUP = 8192, 8
ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
FENCE = re.compile(r"```json(.*?)```", re.DOTALL)


def boxes(rng: random.Random, count: int) -> list[list[int]]:
    corners = [(rng.randint(0, 800), rng.randint(0, 800)) for _ in range(count)]
    return [[x, y, x + rng.randint(10, 200), y + rng.randint(10, 200)] for x, y in corners]


def moved(rng: random.Random, box: list[int]) -> list[int]:
    """A proper box near another."""
    x1, y1, x2, y2 = (max(0, v + rng.randint(-12, 12)) for v in box)
    return [x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)]


def rollouts(seed: int = 0) -> dict[str, list[str]]:
    """Groups of answers with 1 to 10 gold boxes: most boxes slightly off, some missed, some made up."""
    rng = random.Random(seed)
    names_of = ("confident", "labelled", "bare", "confident gold", "labelled gold", "paired gold")
    table: dict[str, list[str]] = {name: [] for name in names_of}
    for _ in range(ROLLOUTS // GROUP):
        right = boxes(rng, rng.randint(1, 10))
        names = [rng.choice("abc") for _ in right]
        for _ in range(GROUP):
            kept = [i for i in range(len(right)) if rng.random() < 0.8]
            said = [moved(rng, right[i]) for i in kept] + boxes(rng, rng.randint(0, 2))
            labels = [names[i] for i in kept] + ["a"] * (len(said) - len(kept))
            sure = [{"Position": box, "Confidence": round(rng.random(), 2)} for box in said]
            named = [{"bbox_2d": box, "label": label} for box, label in zip(said, labels, strict=True)]
            table["confident"].append(f"<think>Let me look.</think>\n<answer>{sure}</answer>")
            table["labelled"].append(f"<think>Let me look.</think>\n<answer>```json\n{json.dumps(named)}\n```</answer>")
            table["confident gold"].append(str([{"Position": box, "Confidence": 1} for box in right]))
            gold = [{"bbox_2d": box, "label": label} for box, label in zip(right, names, strict=True)]
            table["labelled gold"].append(json.dumps(gold))
            table["bare"].append(json.dumps(named))
            table["paired gold"].append(json.dumps([[label, box] for box, label in zip(right, names, strict=True)]))
    return table


def iou(a: list[float], b: list[float]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def loop_fit(completion: str, solution: str) -> float:
    """IoU and confidence reward of one completion, as a reward file has it."""
    found = ANSWER.search(completion)
    said = json.loads((found.group(1) if found else completion).replace("'", '"'))
    gold = [item["Position"] for item in json.loads(solution.replace("'", '"'))]
    seen, unique = set(), []
    for item in said:
        if tuple(item["Position"]) not in seen:
            seen.add(tuple(item["Position"]))
            unique.append(item)
    unique.sort(key=lambda item: -item["Confidence"])
    taken, fit, honest = set(), 0.0, 0.0
    for item in unique:
        best, place = 0.0, -1
        for number, box in enumerate(gold):
            value = iou(item["Position"], box) if number not in taken else 0.0
            if value > best:
                best, place = value, number
        if best > 0.5:
            taken.add(place)
            fit += best
            honest += item["Confidence"]
        else:
            honest += 1 - item["Confidence"]
    return fit / max(len(gold), len(unique)) + honest / len(unique) if unique else 0.0


def coco_precision(completion: str, solution: str) -> float:
    """mAP of one completion through one COCO object, as released AP rewards compute it."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    found = ANSWER.search(completion)
    fenced = FENCE.search(found.group(1)) if found else None
    said = json.loads(fenced.group(1)) if fenced else []
    gold = json.loads(solution)
    names = {name: i + 1 for i, name in enumerate(dict.fromkeys(item["label"] for item in gold))}
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": i, "name": name} for name, i in names.items()],
        "annotations": [_annotation(i + 1, item, names) for i, item in enumerate(gold)],
        "info": {},
    }
    detections = [{**_annotation(0, item, names), "score": 1.0} for item in said if item["label"] in names]
    if not detections:
        return 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        judged = COCOeval(truth, truth.loadRes(detections), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return float(judged.stats[0])


def giou_matrix(a: Any, b: Any) -> Any:
    """(P, G) generalised IoU of all pairs."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    union = (a[:, 2:] - a[:, :2]).prod(axis=1)[:, None] + (b[:, 2:] - b[:, :2]).prod(axis=1)[None] - shared
    low, high = np.minimum(a[:, None, :2], b[None, :, :2]), np.maximum(a[:, None, 2:], b[None, :, 2:])
    hull = (high - low).prod(axis=2)
    return shared / union - (hull - union) / hull


def looped_giou(a: Any, b: Any) -> Any:
    """The same, a function of two boxes in two loops."""

    def giou(p: list[float], g: list[float]) -> float:
        width, height = min(p[2], g[2]) - max(p[0], g[0]), min(p[3], g[3]) - max(p[1], g[1])
        shared = max(0.0, width) * max(0.0, height)
        union = (p[2] - p[0]) * (p[3] - p[1]) + (g[2] - g[0]) * (g[3] - g[1]) - shared
        hull = (max(p[2], g[2]) - min(p[0], g[0])) * (max(p[3], g[3]) - min(p[1], g[1]))
        return shared / union - (hull - union) / hull

    return np.array([[giou(p, g) for g in b.tolist()] for p in a.tolist()])


def scipy_criteria(completion: str, solution: str, giou_of: Callable[[Any, Any], Any]) -> float:
    """Recall and precision after a Hungarian matching of one completion."""
    said, right = json.loads(completion), json.loads(solution)
    if not said:
        return 0.0
    boxes, names = np.array([item["bbox_2d"] for item in said], float), [item["label"] for item in said]
    gold, wanted = np.array([box for _, box in right], float), [name for name, _ in right]
    same = np.array([[a == b for b in wanted] for a in names])
    giou = giou_of(boxes, gold)
    cost = np.abs(boxes[:, None] - gold[None]).sum(axis=2) - same - giou
    pairs = linear_sum_assignment(cost)
    quality = np.where(same[pairs], np.maximum(giou[pairs], 0), 0)
    return float((quality >= 0.5).sum() / len(gold) + quality.sum() / len(boxes))


def _annotation(number: int, item: dict[str, Any], names: dict[str, int]) -> dict[str, Any]:
    x1, y1, x2, y2 = item["bbox_2d"]
    area = (x2 - x1) * (y2 - y1)
    box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": area, "iscrowd": 0}
    return {"id": number, "image_id": 1, "category_id": names[item["label"]], **box}


def seconds(work: Callable[[], Any], repeat: int = 3) -> tuple[float, Any]:
    """Best of some runs, and the result."""
    best, result = float("inf"), None
    for _ in range(repeat):
        begun = time.process_time()
        result = work()
        best = min(best, time.process_time() - begun)
    return best, result


def main() -> None:
    table = rollouts()
    said, gold = table["confident"], table["confident gold"]
    fit = BoxFit() + BoxConfidence()
    mine, scores = seconds(lambda: fit(Batch(said, {"solution": gold})))
    whole, _ = seconds(lambda: (fit + Format())(Batch(said, {"solution": gold})))
    theirs, loop = seconds(lambda: [loop_fit(c, s) for c, s in zip(said, gold, strict=True)])
    np.testing.assert_allclose(scores.values, loop, atol=1e-9)
    print(f"{ROLLOUTS} rollouts with 1 to 10 gold boxes, one core")
    print(f"{'IoU + confidence':34}{ROLLOUTS / mine:>10,.0f}/s   {theirs / mine:6.1f} x the bare loop")
    print(f"{'IoU + confidence + format':34}{ROLLOUTS / whole:>10,.0f}/s   {theirs / whole:6.1f} x the bare loop")

    criteria = BoxRecall() + BoxPrecision()
    said, gold = table["bare"], table["paired gold"]
    mine, scores = seconds(lambda: criteria(Batch(said, {"solution": gold})))
    for giou_of, how in ((looped_giou, "box by box"), (giou_matrix, "costs in numpy")):
        rows = list(zip(said, gold, strict=True))
        theirs, loop = seconds(lambda: [scipy_criteria(c, s, giou_of) for c, s in rows])  # noqa: B023
        np.testing.assert_allclose(scores.values, loop, atol=1e-9)
        speed, ratio = f"{ROLLOUTS / mine:>10,.0f}/s", f"{theirs / mine:6.1f}"
        print(f"{'Hungarian recall + precision':34}{speed}   {ratio} x the scipy loop, {how}")

    said, gold = table["labelled"], table["labelled gold"]
    precision = AveragePrecision(price=True)
    mine, _ = seconds(lambda: precision(Batch(said, {"solution": gold})))
    plain = AveragePrecision()(Batch(said[:256], {"solution": gold[:256]}))
    theirs, coco = seconds(lambda: [coco_precision(c, s) for c, s in zip(said[:256], gold[:256], strict=True)], 1)
    np.testing.assert_allclose(plain.values, coco, atol=1e-9)
    ratio = (theirs / 256) / (mine / ROLLOUTS)
    print(f"{'odLength (mAP x factor)':34}{ROLLOUTS / mine:>10,.0f}/s   {ratio:6.0f} x one COCO object a rollout")
    mine, _ = seconds(lambda: BoxScore()(Batch(said, {"solution": gold})))
    print(f"{'weighted detection score':34}{ROLLOUTS / mine:>10,.0f}/s")


if __name__ == "__main__":
    main()
