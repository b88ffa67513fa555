"""Rewards for when and where a policy says it saw something, and for the form in which it says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.metrics.boxes import Floats, box_iou, finite_boxes, proper_boxes
from sightline.metrics.spans import narrowing, time_closeness
from sightline.parse.motion import MotionTags
from sightline.parse.sightings import Sighting, Sightings, cited_times
from sightline.parse.tags import ANSWER, THINK, Inside, Span
from sightline.rewards.key_frames import KeyFrames, frame_times, image_sizes, in_pixels, key_frames, sorted_corners
from sightline.rewards.reward import Reward

CITED = Inside(THINK, cited_times)
FRAMES = ("key_frames", "key_items", "image_size")
_PAIR = re.compile(r"<obj>\w++</obj><box>\[[^\]<]*+\]</box>")


@dataclass(frozen=True)
class TimesNear(Reward):
    """How near the cited times are to key frames, more strictly as training goes on.

    value = mean over cited `<t>x</t>s` of exp(-dt^2 / (2 sigma^2)), dt to the nearest key frame

    Args:
        steps: steps of the whole training; progress u = `batch.step` / steps, and 0 where no step is given.
        width: u -> sigma in seconds.

    Reads: `key_frames`. Range: 0..1. Low: no think block, no cited time.

    Example:
        >>> rows = TimesNear.specimen()[1]
        >>> TimesNear(steps=100)(Batch.from_rows(rows[:1], step=50)).values.round(4)
        array([0.9692])

    References:
        Open-o3 Video, arXiv 2510.20579, temporal reward with adaptive proximity.
    """

    steps: int
    width: Callable[[float], float] = narrowing
    scheduled: ClassVar = True
    reads: ClassVar = ("key_frames",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        truth = {"key_frames": [{"idx": 0, "time": 0.0}, {"idx": 1, "time": 1.0}]}
        said = ("<t>0.5</t>s", "<t>0</t>s <t>30</t>s", "soon", "<t>1.2.3</t>s")
        return cls(100), [{"completion": f"<think>{text}</think>", **truth} for text in said]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        frame_times(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        progress = 0.0 if batch.step is None else min(1.0, max(0.0, batch.step / self.steps))
        sigma = self.width(progress)
        keys = frame_times(batch, type(self).__name__)
        return Scores.from_rows([self._one(*row, sigma) for row in zip(batch.parse(CITED), keys, strict=True)])

    def _one(self, times: list[float] | Missing, keys: Floats, sigma: float) -> Score:
        if isinstance(times, Missing):
            return Score(0.0, times.why)
        if not times or not len(keys):
            return Score(0.0, "no time is cited" if not times else "the row has no key frame")
        near = time_closeness(times, keys, sigma)
        return Score(float(near.mean()), f"{len(times)} times, sigma {sigma:g} s")


@dataclass(frozen=True)
class SightingFit(Reward):
    """How well the boxes of sightings fit the annotated boxes of their moment.

    value = mean over all sightings of max over the objects of the nearest key frame (closer than 1 s) of the mean over
    the object's boxes of the best IoU with the sighting's boxes; a sighting without such a frame counts 0

    Names are not compared. Boxes are pixels, or 0..1 if all four values are.

    Args:
        sightings: text -> sightings.
        within: seconds.
        late: a key frame any time before the sighting is close enough, as released code has it: a sighting 49 s late
            can then earn 1.
        sort: corners are put in order; without it raw arithmetic on boxes as they are.

    Reads: `key_frames`, `key_items`, `image_size`. Range: 0..1. Low: no think block, no sighting.

    Example:
        >>> SightingFit()(Batch.from_rows(SightingFit.specimen()[1])).values[:2]
        array([1., 0.])

    References:
        Open-o3 Video, arXiv 2510.20579, spatial reward with temporal gating.
    """

    sightings: Sightings = Sightings()
    within: float = 1.0
    late: bool = False
    sort: bool = True
    reads: ClassVar = FRAMES

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        truth = {
            "key_frames": [{"idx": 0, "time": 0.0}],
            "key_items": {"0": {"dog": [[0.1, 0.1, 0.2, 0.2]]}},
            "image_size": [100, 100],
        }
        seen = "<obj>cat</obj><box>{}</box>at<t>{}</t>s"
        said = (("[10,10,20,20]", 0), ("[10,10,20,20]", 49), ("[20,20,10,10]", 0), ("[.1,.1,.2,.2]", 0), ("[1]", 0))
        return cls(), [{"completion": f"<think>{seen.format(*one)}</think>", **truth} for one in said]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        key_frames(batch, type(self).__name__, self.sort)

    def score(self, batch: Batch) -> Scores:
        who = type(self).__name__
        found = batch.parse(Inside(THINK, self.sightings))
        rows = zip(found, key_frames(batch, who, self.sort), image_sizes(batch, who), strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, seen: list[Sighting] | Missing, frames: KeyFrames, size: tuple[float, float]) -> Score:
        if isinstance(seen, Missing) or not seen:
            return Score(0.0, seen.why if isinstance(seen, Missing) else "no sighting")
        fits = [self._fit(sighting, frames, size) for sighting in seen]
        return Score(sum(fits) / len(fits), f"{sum(fit > 0 for fit in fits)} of {len(fits)} sightings overlap")

    def _fit(self, sighting: Sighting, frames: KeyFrames, size: tuple[float, float]) -> float:
        frame = frames.nearest(sighting.seconds, self.within, listed_only=True, late=self.late)
        objects = [] if frame is None else frames.objects.get(frame, [])
        boxes = [in_pixels(box, size) for box in sighting.boxes if box is not None]
        if not objects or not boxes:
            return 0.0
        said: Floats = np.array(boxes)
        said, validity = (sorted_corners(said), proper_boxes) if self.sort else (said, finite_boxes)
        best = (box_iou(right, said, validity).max(axis=1).mean() for _, right in objects)
        return float(np.clip(max(best), 0.0, 1.0))


@dataclass(frozen=True)
class SightingForm(Reward):
    """Whether think and answer blocks are there, tags are closed, and the asked evidence stands in the think block.

    value = 0 if a block is missing or tags are unbalanced, 1 if the evidence is there, else 0.5

    Args:
        objects, times, boxes, motions: how many `<obj>`, `<t>`, `<box>` and valid motion tags are asked for.
        or_pair: one `<obj>word</obj><box>[..]</box>` anywhere is enough instead.
        tags: text -> motion tags; one is valid if every bin is known, whosever it is.
        free_text: an older `<motion>word</motion>` counts as a motion tag, as in released code.

    Range: 0, 0.5 or 1.

    Example:
        >>> said = ["<think><t>1</t>s <t>2</t>s</think><answer>a</answer>", "<think></think><answer>a</answer>", "a"]
        >>> SightingForm(times=2)(Batch(said)).values
        array([1. , 0.5, 0. ])
    """

    objects: int = 0
    times: int = 0
    boxes: int = 0
    motions: int = 0
    or_pair: bool = False
    tags: MotionTags = MotionTags()
    free_text: bool = False

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        tag = '<motion obj="a" dir="{}" speed="slow" scale="stable"/>'
        said = (tag.format("E"), tag.format("EAST"), "<motion>left</motion>", "<obj>a", "<obj>a</obj><box>[1]</box>")
        rows = [{"completion": f"<think>{text}</think><answer>a</answer>"} for text in said]
        return cls(motions=1), [*rows, {"completion": "a"}, {"completion": rows[0]["completion"] + "<think>"}]

    def score(self, batch: Batch) -> Scores:
        rows = zip(batch.texts, batch.parse(THINK.span), batch.parse(ANSWER.span), strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, text: str, think: Span | Missing, answer: Span | Missing) -> Score:
        for block in (think, answer):
            if isinstance(block, Missing):
                return Score(0.0, block.why)
        inside = think.text if isinstance(think, Span) else ""
        open_ = [f"<{tag}>" for tag in ("think", "answer") if not _balanced(text, tag)]
        open_ += [f"<{tag}>" for tag in ("obj", "t", "box", "motion") if not _balanced(inside, tag)]
        if open_:
            return Score(0.0, f"unbalanced {open_[0]}")
        lacks = self._lacking(inside)
        if not lacks or (self.or_pair and _has_pair(text)):
            return Score(1.0)
        return Score(0.5, f"asked for more {', '.join(lacks)}")

    def _lacking(self, inside: str) -> list[str]:
        found = {tag: inside.count(f"<{tag}>") for tag in ("obj", "t", "box")}
        wanted = {"obj": self.objects, "t": self.times, "box": self.boxes}
        lacks = [tag for tag, least in wanted.items() if found[tag] < least]
        motions = sum(tag.motion.known for tag in self.tags(inside)) if self.motions else 0
        motions += inside.count("<motion>") if self.free_text else 0
        return [*lacks, "motion"] if motions < self.motions else lacks


def _balanced(text: str, tag: str) -> bool:
    return text.count(f"<{tag}>") == text.count(f"</{tag}>")


def _has_pair(text: str) -> bool:
    return _PAIR.search(text) is not None
