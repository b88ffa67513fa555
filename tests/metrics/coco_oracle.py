"""Average precision as pycocotools computes it: the reference that tests and the benchmark compare with."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def coco_average_precision(
    pred: Sequence[Any],
    pred_labels: Sequence[Sequence[str]],
    gold: Sequence[Any],
    gold_labels: Sequence[Sequence[str]],
    scores: Sequence[Sequence[float]] | None = None,
) -> tuple[float, float]:
    """(mean AP, AP at 0.50) of a data set; lists per image. One image: the AP of a single rollout."""
    number = {label: k for k, label in enumerate(sorted({label for row in gold_labels for label in row}), start=1)}
    images = [{"id": image} for image in range(len(gold))]
    truth = [
        {"id": 0, "image_id": image, "category_id": number[label], "bbox": _xywh(box), "area": 1.0, "iscrowd": 0}
        for image, (row, labels) in enumerate(zip(gold, gold_labels, strict=True))
        for box, label in zip(row, labels, strict=True)
    ]
    for identity, annotation in enumerate(truth, start=1):  # 0 would mean "not matched"
        annotation["id"] = identity
    found = [
        {
            "image_id": image,
            "category_id": number[label],
            "bbox": _xywh(box),
            "score": scores[image][i] if scores else 1.0,
        }
        for image, (row, labels) in enumerate(zip(pred, pred_labels, strict=True))
        for i, (box, label) in enumerate(zip(row, labels, strict=True))
        if label in number
    ]
    if not found:
        return 0.0, 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": images, "annotations": truth, "categories": [{"id": k} for k in number.values()]}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def _xywh(box: Any) -> list[float]:
    x1, y1, x2, y2 = (float(number) for number in box)
    return [x1, y1, x2 - x1, y2 - y1]
