"""Whether the reasoning describes the pictures, as an encoder of texts and pictures has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, MediaError
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.judges.colours import ColourEmbedder
from sightline.judges.judge import Ability, Question, Verdict
from sightline.media import images, videos
from sightline.metrics.embeddings import pooled_embedding
from sightline.parse.description import Description
from sightline.parse.tags import Span
from sightline.rewards.reward import JudgedReward, Reward

Pool = Callable[[Any, Any, float], float]


@dataclass(frozen=True)
class DescribesPictures(JudgedReward):
    """How near the described part of the reasoning lies to the frames, in the space of an encoder.

    value = min(1, weight * max(0, cos(text, mean of the frames' unit vectors)))

    Args:
        judge: embeds texts and pictures into one space, for instance `DualEncoder`; it cuts texts it cannot hold.
        weight: cosines of real encoders rarely exceed 0.2; log their spread.
        pool: (text vector, frame vectors, weight) -> 0..1; `pooled_embedding`, or `pooled_score` as released code.
        describe: completion -> the text that is embedded.
        empty: a description without a letter or digit earns 0 without a call (`zero`), or is embedded (`embed`).
        column: pictures or their embeddings, as a list or stacked (F, H, W, 3) or (F, D); a path or bytes of a video
            where `data_type` is `video`.
        frames: of a video file, evenly spread.
        video_as: what is done to each frame of a video before it is shown, for released code that spoils them.

    Reads: `column`; `data_type` (`image` or `video`) if it is there. Range: 0..1.
    Low: pictures that cannot be read (for every rollout that is about them), an empty description.
    NaN: the encoder failed. Marks: the description.

    Raises:
        ColumnError: no picture, or an embedding with numbers that are not finite.

    Example:
        >>> red = np.full((4, 4, 3), (250, 10, 10), dtype=np.uint8)
        >>> said = ["<think>Let me look. A red wall.</think>", "<think>Let me look. A blue wall.</think>"]
        >>> DescribesPictures(ColourEmbedder())(Batch(said, {"images": [[red], [red]]})).values
        array([1., 0.])

    References:
        Wang et al., VideoRFT, arXiv 2505.12434, semantic-consistency reward.
    """

    weight: float = 2.0
    pool: Pool = pooled_embedding
    describe: Description = Description()
    empty: Literal["zero", "embed"] = "zero"
    column: str = "images"
    frames: int = 16
    video_as: Callable[[Any], Any] | None = None
    ability: ClassVar[Ability] = "embed"
    may_read: ClassVar = ("data_type",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        red = np.full((4, 4, 3), (250, 10, 10), dtype=np.uint8)
        said = ("Look. A red wall.", "Look. A blue wall.", "", "...", "red")
        rows: list[dict[str, Any]] = [{"completion": f"<think>{text}</think>", "images": [red]} for text in said]
        gone = {**rows[0], "images": ["/nowhere/at/all.png"]}
        known = {**rows[0], "images": [[0.0, 0.0, 0.5, 0.0, 0.5, 0.0, 0.0, 0.0]]}
        return cls(ColourEmbedder()), [*rows, gone, known, {**gone, "images": "/nowhere.mp4", "data_type": "video"}]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row, value in enumerate(batch.column(self.column)):
            who = f"{type(self).__name__}: column `{self.column}` of row {row}"
            if value is None or not len(_several(value)):
                raise ColumnError(f"{who} is {value!r:.60}; it needs pictures, their embeddings or a video")
            if not all(np.isfinite(one).all() for one in _several(value) if _is_vector(one)):
                raise ColumnError(f"{who} has an embedding with numbers that are not finite")

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        read = _Reader(self.frames, self.video_as)
        rows = zip(batch.parse(self.describe), self._media(batch), strict=True)
        return [self._asked(said, read(*media)) for said, media in rows]

    def _media(self, batch: Batch) -> list[tuple[Any, bool]]:
        kinds = batch.column("data_type") if batch.has("data_type") else [None] * len(batch)
        given = batch.column(self.column, type(self).__name__)
        return [(value, kind == "video") for value, kind in zip(given, kinds, strict=True)]

    def _asked(self, said: Span, shown: list[Any] | Missing) -> tuple[Question, ...]:
        if isinstance(shown, Missing) or not self._says_something(said):
            return ()
        pictures = [picture for picture in shown if not _is_vector(picture)]
        return (Question(said.text), *(Question("", images=(picture,)) for picture in pictures))

    def _says_something(self, said: Span) -> bool:
        return self.empty == "embed" or any(map(str.isalnum, said.text))

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        read = _Reader(self.frames, self.video_as)
        rows = zip(batch.parse(self.describe), self._media(batch), verdicts, strict=True)
        return Scores.from_rows([self._one(said, media, found, read) for said, media, found in rows])

    def _one(self, said: Span, media: Any, verdicts: tuple[Verdict[Any], ...], read: _Reader) -> Score:
        if not verdicts:
            shown = read(*media) if self._says_something(said) else Missing("nothing is described")
            return Score(0.0, shown.why if isinstance(shown, Missing) else "no picture")
        broken = next((verdict.error for verdict in verdicts if verdict.value is None), None)
        if broken is not None:
            return failed(broken)
        text, *pictures = [tuple(verdict.value) for verdict in verdicts if verdict.value is not None]
        known = [one for one in _several(media[0]) if _is_vector(one)]
        vectors = [*known, *pictures]
        if len({len(text), *map(len, vectors)}) > 1:
            return failed("the encoder gave vectors of different lengths")
        value = float(self.pool(text, vectors, self.weight))
        why = f"described with {value:.3f}"
        return Score(value, why, (Mark("char", (said.start, said.end), value, why),))


@dataclass
class _Reader:
    """Reads the pictures of a row, each source once: equal questions hold the same objects."""

    frames: int
    video_as: Callable[[Any], Any] | None

    def __post_init__(self) -> None:
        self.known: dict[Any, list[Any] | Missing] = {}
        self.spoilt: dict[int, tuple[Any, Any]] = {}

    def __call__(self, media: Any, video: bool) -> list[Any] | Missing:
        key = (media if isinstance(media, str | bytes) else id(media), video)
        if key not in self.known:
            self.known[key] = self._read(media, video)
        return self.known[key]

    def _read(self, media: Any, video: bool) -> list[Any] | Missing:
        try:
            if video and isinstance(media, str | bytes | Mapping):
                shown: list[Any] = list(videos.frames(media, self.frames))
            else:
                shown = [self._picture(one) for one in _several(media)]
            return [self._spoilt(one) for one in shown] if video and self.video_as else shown
        except MediaError as error:
            return Missing(f"unreadable media: {error}")

    def _spoilt(self, frame: Any) -> Any:
        if self.video_as is None or _is_vector(frame):
            return frame
        if id(frame) not in self.spoilt:  # kept with its frame, so that no other takes the same place in memory
            self.spoilt[id(frame)] = (self.video_as(np.asarray(images.load(frame))), frame)
        return self.spoilt[id(frame)][0]

    def _picture(self, source: Any) -> Any:
        # what is in memory stays the object it is; files are read here, so that an unreadable one is no judge's failure
        if not isinstance(source, str | bytes | Mapping):
            return source
        key = (source, False) if isinstance(source, str | bytes) else (id(source), False)
        if key not in self.known:
            self.known[key] = [images.load(source)]
        found = self.known[key]
        return source if isinstance(found, Missing) else found[0]


def _several(media: Any) -> Sequence[Any]:
    """A list of pictures or embeddings, also of stacked ones; or one as a list."""
    if isinstance(media, np.ndarray):
        paths = media.ndim == 1 and not _is_vector(media)
        stacked = paths or media.ndim == 4 or (media.ndim == 2 and media.dtype != np.uint8)
        return list(media) if stacked else [media]
    return [media] if isinstance(media, str | bytes) or not isinstance(media, Sequence) or _is_vector(media) else media


def _is_vector(value: Any) -> bool:
    """Whether a picture is given by its embedding: a flat list of numbers."""
    if isinstance(value, np.ndarray):
        return value.ndim == 1 and value.dtype.kind in "biuf"
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes) and len(value) > 0
    return several and isinstance(value[0], int | float | np.number)
