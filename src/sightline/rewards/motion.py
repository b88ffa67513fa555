"""Rewards for how an object is said to move: against its true track, and against what is said of a frozen video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sightline.core.batch import Batch
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.motion import Motion
from sightline.core.scores import Score, Scores
from sightline.metrics.tracks import direction_agreement, motion_agreement, motion_change, straight
from sightline.parse.motion import MotionTag, MotionTags, by_object
from sightline.parse.sightings import Sighting, Sightings
from sightline.parse.tags import THINK, Span
from sightline.rewards.frozen_video import FrozenVideo
from sightline.rewards.key_frames import KeyFrames, gold_motions, image_sizes, in_pixels, key_frames
from sightline.rewards.policy_columns import Filled, PolicyWrites
from sightline.rewards.reward import Reward

REMAINDER = 0.15  # what an older tag without speed and scale earns for them in released code


@dataclass(frozen=True)
class MotionTrajectory(Reward):
    """How well the motion tag of each object agrees with the object's true track.

    r_obj = 0.4 direction + 0.3 speed + 0.3 scale, each 1 if exact, 0.5 one bin off, else 0;  value = mean over objects

    A sighting in the think block is matched to the annotated frame nearest in time (closer than 2 s), and counts if its
    object is annotated there. An object is judged if it has two matches on two frames. The truth is `gt_motion` where
    the row has it for the object, else the straight motion between its first and last matched boxes.

    Args:
        tags: text -> motion tags.
        sightings: text -> sightings.
        within: seconds.
        touched: value if there are two matches, but no object with two frames.
        sort: corners of the true boxes are put in order.
        settled: in a straight motion no direction and no speed go together.
        free_text: text -> direction; used for objects without a tag, as released code does. None: those earn 0.
        on_break: a list that released code breaks on makes the whole rollout 0 (`fail`) or changes nothing.

    Reads: `key_frames`, `key_items`, `image_size` (None for a video without annotated frames); `gt_motion` if it is
    there. Range: 0..1. Low: no annotated frames, no think block, fewer than two matched sightings, an object without a
    tag. The predicted boxes are not looked at. Marks: the motion tags of judged objects.

    Example:
        >>> batch = Batch.from_rows(MotionTrajectory.specimen()[1])
        >>> MotionTrajectory()(batch).values[:3]
        array([1.  , 0.5 , 0.15])

    References:
        Motion-o, arXiv 2603.18856, trajectory reward.
    """

    tags: MotionTags = MotionTags()
    sightings: Sightings = Sightings()
    within: float = 2.0
    touched: float = 0.1
    sort: bool = True
    settled: bool = True
    free_text: Callable[[str], str | Missing] | None = None
    on_break: Literal["fail", "nothing"] = "nothing"
    reads: ClassVar = ("key_frames", "key_items", "image_size")
    may_read: ClassVar = ("gt_motion",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        truth = {
            "key_frames": [{"idx": 0, "time": 0.0}, {"idx": 30, "time": 1.0}],
            "key_items": {"0": {"dog": [[0.1, 0.1, 0.2, 0.2]]}, "30": {"dog": [[0.3, 0.1, 0.4, 0.2]]}},
            "image_size": [100, 100],
        }
        seen = (
            "<obj>dog</obj><box>[10,10,20,20]</box>at<t>0</t>s <obj>dog</obj><box>[30,10,40,20]</box>at<t>{}</t>s "
            '<motion obj="dog" dir="{}" speed="{}" scale="{}"/>'
        )
        said = [("1", "E", "fast", "stable"), ("1", "NE", "moderate", "approaching"), ("1", "W", *("stationary",) * 2)]
        rows: list[dict[str, Any]] = [
            {"completion": f"<think>{seen.format(*one)}</think><answer>a</answer>", **truth}
            for one in (*said, ("0", "E", "fast", "stable"), ("9", "E", "fast", "stable"))
        ]
        rows[2]["completion"] = rows[2]["completion"].replace('scale="stationary"', 'scale="receding"')
        told = {**rows[0], "gt_motion": {"Dog": {"dir": "N", "speed": "fast", "scale": "stable"}}}
        return cls(), [*rows, told, {**rows[0], "completion": "<think>it runs</think>"}]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        key_frames(batch, type(self).__name__, self.sort, needed=False)
        gold_motions(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        who = type(self).__name__
        frames = key_frames(batch, who, self.sort, needed=False)
        rows = zip(batch.parse(THINK.span), frames, gold_motions(batch, who), strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, think: Span | Missing, frames: KeyFrames, told: dict[str, Motion]) -> Score:
        if isinstance(think, Missing):
            return Score(0.0, think.why)
        seen = self.sightings(think.text)
        if self.on_break == "fail" and len(seen) > 1 and any(sighting.breaks for sighting in seen):
            return Score(0.0, "a box breaks the released code")
        matched = [(s, frame) for s in seen if (frame := self._frame(s, frames)) is not None]
        tracks = _tracks(matched)
        if not tracks:
            why = f"{len(matched)} sightings match, no object on two frames"
            return Score(self.touched if len(matched) > 1 else 0.0, why)
        tags = self.tags(think.text)
        judged = [self._object(key, track, frames, told, tags, think) for key, track in tracks.items()]
        values = [one.value for one in judged]
        marks = tuple(mark for one in judged for mark in one.marks)
        return Score(sum(values) / len(values), "; ".join(one.why for one in judged)[:400], marks)

    def _frame(self, sighting: Sighting, frames: KeyFrames) -> str | None:
        frame = frames.nearest(sighting.seconds, self.within)
        return frame if frame is not None and len(frames.boxes(frame, sighting.key)) else None

    def _object(
        self,
        key: str,
        track: list[tuple[Sighting, str]],
        frames: KeyFrames,
        told: dict[str, Motion],
        tags: list[MotionTag],
        think: Span,
    ) -> Score:
        right = told.get(key) or self._straight(key, track, frames)
        tag = next((tag for tag in reversed(tags) if tag.key == key), None)
        if tag is None:
            return self._untagged(key, right, think)
        value = motion_agreement(tag.motion, right)
        why = f"{key}: said {' '.join(tag.motion[:3])}, is {' '.join(right[:3])}"
        return Score(value, why, (Mark("char", (think.start + tag.start, think.start + tag.end), value, why),))

    def _straight(self, key: str, track: list[tuple[Sighting, str]], frames: KeyFrames) -> Motion:
        times = dict(zip(frames.names, frames.seconds.tolist(), strict=True))
        ordered = sorted(track, key=lambda match: match[0].seconds)
        first, last = ordered[0][1], ordered[-1][1]
        boxes = [frames.boxes(frame, key)[0].tolist() for frame in (first, last)]
        return straight(boxes[0], boxes[1], times[last] - times[first], self.settled)

    def _untagged(self, key: str, right: Motion, think: Span) -> Score:
        said = Missing("") if self.free_text is None else self.free_text(think.text)
        if isinstance(said, Missing):
            return Score(0.0, f"{key}: no motion tag")
        return Score(0.4 * direction_agreement(said, right.direction) + REMAINDER, f"{key}: free text says {said}")


def _tracks(matched: list[tuple[Sighting, str]]) -> dict[str, list[tuple[Sighting, str]]]:
    """Matches by object, objects with at least two frames."""
    tracks: dict[str, list[tuple[Sighting, str]]] = {}
    for sighting, frame in matched:
        tracks.setdefault(sighting.key, []).append((sighting, frame))
    return {key: track for key, track in tracks.items() if len({frame for _, frame in track}) > 1}


@dataclass(frozen=True)
class MotionGrounding(Reward):
    """Whether motion tags change when there is no motion to see.

    per object: 1 if the chain on the frozen video does not tag it, else 0.5 [direction differs] + 0.3 [speed differs]
    + 0.2 [scale differs];  value = mean over the tagged objects

    Args:
        tags: text -> motion tags.
        column: the chain written for the video frozen from its first key frame on (`sightline.media.frozen`).
        ask: how the policy is asked for that chain in training, once for every prompt.

    Reads: `column` if it is there. Range: 0..1.
    Low: no think block, no motion tag, no frozen chain; 0 for every rollout if the column is never filled.

    Example:
        >>> tag = '<think><motion obj="dog" dir="{}" speed="fast" scale="stable"/></think>'
        >>> columns = {"masked_completion": [tag.format("STAT")] * 2}
        >>> MotionGrounding()(Batch([tag.format("E"), tag.format("STAT")], columns)).values
        array([0.5, 0. ])

    References:
        Motion-o, arXiv 2603.18856, motion grounding reward.
    """

    tags: MotionTags = MotionTags()
    column: str = "masked_completion"
    ask: FrozenVideo = FrozenVideo()

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        tag = '<think><motion obj="dog" dir="{}" speed="fast" scale="stable"/></think>'
        said = [tag.format("E"), tag.format("STAT"), "<think></think>", "E"]
        rows: list[dict[str, Any]] = [{"completion": text, "masked_completion": tag.format("STAT")} for text in said]
        return cls(), [*rows, {**rows[0], "masked_completion": "no chain"}, {**rows[0], "masked_completion": None}]

    @property
    def fills(self) -> tuple[Filled, ...]:
        """The column, for the policy to fill."""
        return (PolicyWrites(self.column, self.ask, once=True),)

    def uses(self) -> tuple[str, ...]:
        return (self.column,)

    def score(self, batch: Batch) -> Scores:
        frozen = batch.column(self.column) if batch.has(self.column) else [None] * len(batch)
        rows = zip(batch.parse(THINK.span), frozen, strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, think: Span | Missing, frozen: Any) -> Score:
        if isinstance(think, Missing):
            return Score(0.0, think.why)
        said = by_object(self.tags(think.text))
        if not said or not isinstance(frozen, str):
            return Score(0.0, "no chain on the frozen video" if said else "no motion tag")
        other = THINK(frozen)
        still = {} if isinstance(other, Missing) else by_object(self.tags(other))
        changes = {key: motion_change(motion, still[key]) if key in still else 1.0 for key, motion in said.items()}
        why = "; ".join(f"{key} changes by {change:.1f}" for key, change in changes.items())
        return Score(sum(changes.values()) / len(changes), why[:400])


@dataclass(frozen=True)
class MotionConsistency(Reward):
    """How well the motion tag of each object agrees with the boxes that the policy itself gives for it.

    value = mean over objects sighted at two times of the agreement of tag and straight motion from first to last box

    Args:
        tags: text -> motion tags.
        sightings: text -> sightings.

    Reads: `image_size`. Range: 0..1. Low: no object is sighted twice; an object without a tag.

    Example:
        >>> reward, rows = MotionConsistency.specimen()
        >>> reward(Batch.from_rows(rows)).values[:2]
        array([1. , 0.6])
    """

    tags: MotionTags = MotionTags()
    sightings: Sightings = Sightings()
    reads: ClassVar = ("image_size",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        _, rows = MotionTrajectory.specimen()
        said = [rows[0]["completion"], rows[0]["completion"].replace('"E"', '"W"'), "<think></think>", "a"]
        return cls(), [{"completion": text, "image_size": [100, 100]} for text in said]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        image_sizes(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        rows = zip(batch.parse(THINK), image_sizes(batch, type(self).__name__), strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, think: str | Missing, size: tuple[float, float]) -> Score:
        if isinstance(think, Missing):
            return Score(0.0, think.why)
        seen: dict[str, list[Sighting]] = {}
        for sighting in self.sightings(think):
            seen.setdefault(sighting.key, []).append(sighting)
        said = by_object(self.tags(think))
        values: list[float] = []
        for key, sightings in seen.items():
            first, last = min(sightings, key=_when), max(sightings, key=_when)
            if first.seconds < last.seconds and first.boxes[0] is not None and last.boxes[0] is not None:
                boxes = in_pixels(first.boxes[0], size), in_pixels(last.boxes[0], size)
                own = straight(*boxes, last.seconds - first.seconds)
                values.append(motion_agreement(said[key], own) if key in said else 0.0)
        return Score(sum(values) / len(values)) if values else Score(0.0, "no object is sighted at two times")


def _when(sighting: Sighting) -> float:
    return sighting.seconds
