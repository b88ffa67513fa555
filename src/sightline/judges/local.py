"""A judge that is a transformers model in this process.

This file is the value: which model, where it runs. The work with tensors is in `batches`, which is imported with
torch when the judge is first asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sightline.core.errors import MissingExtra
from sightline.judges.judge import Ability, Question
from sightline.judges.stream import Arrival, Streamed


@dataclass(frozen=True)
class LocalJudge(Streamed):
    """A transformers model as a judge: a vision-language or language model, or an encoder (CLIP, BERT).

    generate  the text that follows the prompt, special tokens left out
    choose    share of option o = sum over spellings s of p(s | prompt), over all options adding up to 1; spellings: as
              given, capitalised, lower case, each also with a leading blank, equal token lists counted once
    loglik    natural log-probability of each token of the continuation; a prompt with its pictures is encoded once for
              all questions that share it
    embed     mean of the last hidden states over the prompt; for CLIP-type models, text features, or the mean of the
              image features if there are pictures; not normalised

    The prompt is one user message in the model's chat template; without a template it is the bare text. A model is
    loaded once per process and stays; the judge itself holds nothing and can be pickled.

    Args:
        path: a folder or a hub id.
        device: `cpu`, `cuda`, `cuda:1`, ...; empty: `cuda` if there is one, else `cpu`.
        dtype: `float32`, `bfloat16`, ...; `auto`: that of the weights.
        batch_size: prompts, or continuations, per forward pass. Results do not depend on it beyond rounding.
        revision: of a hub model.

    Raises:
        MissingExtra: on use, without torch or transformers.
        ConfigError: on use, if there is no such model.

    Example:
        >>> LocalJudge("org/judge-7b", dtype="bfloat16").id
        'local:org/judge-7b:bfloat16'
    """

    path: str
    device: str = ""
    dtype: str = "auto"
    batch_size: int = 8
    revision: str = ""

    @property
    def id(self) -> str:
        """Path, revision, number format, and for a folder a hash of its files' names, sizes and dates."""
        return f"local:{weights_id(self.path, self.revision)}:{self.dtype}{state_of(self.path)}"

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """Verdicts as batches end."""
        if not questions:
            return
        try:
            from sightline.judges import batches, loaded
        except ImportError as error:
            raise MissingExtra.of("LocalJudge", "train") from error
        model = loaded.load(self.path, self.revision, self.device, self.dtype)
        yield from batches.answers(model, ability, questions, self.batch_size)


def weights_id(path: str, revision: str) -> str:
    """Path and revision as a judge's identity names them."""
    return f"{path}@{revision}" if revision else path


def state_of(path: str) -> str:
    """A hash of the names, sizes and dates of a folder's files; empty for what is no folder here."""
    files = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(Path(path).glob("*")) if f.is_file()]
    return f"#{hashlib.blake2b(repr(files).encode(), digest_size=4).hexdigest()}" if files else ""
