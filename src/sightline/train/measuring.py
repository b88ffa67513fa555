"""Measures of `sightline.credit.measures` computed: log-probabilities, entropies, dependency on the pictures.

Axes: B rollouts of this process, T tokens of its longest completion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sightline.credit.measures import Corruption, Entropy, ImageDependency, Logp, Measure, k3
from sightline.train.forward import Forward, Texts

Measured = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Measuring:
    """What is measured of every scored batch.

    Args:
        forward: the policy's forward pass.
        measures: what.
        reference: the reference policy; None if none is asked for.
    """

    forward: Forward
    measures: tuple[Measure, ...]
    reference: Any = None

    def __call__(
        self, output: dict[str, Any], prompts: Sequence[Any], images: Sequence[Any] | None, seeds: Sequence[Any]
    ) -> Measured:
        """name -> (B, T).

        Args:
            output: of TRL's generation.
            prompts, images: what the rollouts were asked.
            seeds: per rollout, for spoiling its pictures.
        """
        if not self.measures:
            return {}
        texts = self.forward.of_output(output)
        spoiled = {
            measure: self._spoiled(measure.corrupt, prompts, images, seeds, texts)
            for measure in self.measures
            if isinstance(measure, ImageDependency)
        }
        found, own = self._policy(output, texts, spoiled)
        for measure in self.measures:
            if isinstance(measure, Logp):
                found[measure.name] = own if measure.of == "policy" else self._of_reference(output, texts)
            elif isinstance(measure, ImageDependency) and measure.estimator != "full_kl":
                other = spoiled[measure]
                if other is None:
                    found[measure.name] = np.zeros(own.shape)
                    continue
                gone = _numpy(self.forward.logp(texts._replace(pictures=other))[0])
                found[measure.name] = k3(own, gone) if measure.estimator == "k3" else own - gone
        for measure in self.measures:
            if isinstance(measure, ImageDependency) and images is not None:
                found[measure.name][[not row for row in images]] = 0.0
        return found

    def _policy(
        self, output: dict[str, Any], texts: Texts, spoiled: dict[ImageDependency, dict[str, Any] | None]
    ) -> tuple[Measured, NDArray[np.float64]]:
        """Entropies and full divergences, and the policy's log-probabilities, with as few passes as there can be."""
        found: Measured = {}
        logp = output.get("old_per_token_logps")
        for measure, other in spoiled.items():
            if measure.estimator == "full_kl":
                zero = torch.zeros((len(texts.ids), texts.kept))
                logp, divergence = (logp, zero) if other is None else self.forward.kl(texts, other)
                found[measure.name] = _numpy(divergence)
        names = [measure.name for measure in self.measures if isinstance(measure, Entropy)]
        if names or logp is None:
            logp, entropies = self.forward.logp(texts, entropy=bool(names))
            found.update({name: _numpy(entropies) for name in names if entropies is not None})
        assert logp is not None
        return found, _numpy(logp)

    def _of_reference(self, output: dict[str, Any], texts: Texts) -> NDArray[np.float64]:
        known = output.get("ref_per_token_logps")
        return _numpy(self.reference.logp(self.forward, texts) if known is None else known)

    def _spoiled(
        self,
        corrupt: Corruption,
        prompts: Sequence[Any],
        images: Sequence[Any] | None,
        seeds: Sequence[Any],
        texts: Texts,
    ) -> dict[str, Any] | None:
        """The spoiled pictures as the model takes them; None without pictures."""
        if images is None or not any(images):
            return None
        changed = [
            [spoil(corrupt, image, (*seed, place)) for place, image in enumerate(row or [])]
            for row, seed in zip(images, seeds, strict=True)
        ]
        made = self.forward.pictures(prompts, changed)
        # all but the pixels is the same, and already as long as prompts and completions together
        return {**texts.pictures, "pixel_values": made["pixel_values"]}


def spoil(corrupt: Corruption, image: Any, seed: Sequence[int]) -> Any:
    """A spoiled picture, the same for the same seed."""
    from PIL import Image

    from sightline.media import images

    picture = np.asarray(images.load(image).convert("RGB"))
    return Image.fromarray(np.asarray(corrupt(picture, np.random.default_rng(list(seed))), dtype=np.uint8))


def _numpy(values: torch.Tensor) -> NDArray[np.float64]:
    return values.double().cpu().numpy()
