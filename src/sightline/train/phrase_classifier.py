"""A classifier of the phrases of a description: a vision-language model with a linear head behind every phrase.

The text is the prompt, then each phrase followed by the end-of-sequence token; the head reads the hidden state at that
token. A judge that can choose, so that it stands wherever a model that is asked could. Axes: B texts, T tokens, S
separators, C classes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core.errors import ConfigError
from sightline.judges.judge import Question, Verdict
from sightline.media import images
from sightline.metrics.fact_classes import CLASSES, IGNORED, alignment_fault

if TYPE_CHECKING:
    import torch

PROMPT = "Describe this image in detail."


@dataclass(frozen=True)
class Fitting:
    """How classifiers are trained: cross-entropy at separators, warm-up, then a constant rate.

    Args:
        lr: of AdamW.
        epochs: most; it ends earlier when accuracy on held-out rows has not risen for `patience` of them.
        batch: rows an update.
        warmup: share of all updates in which the rate rises.
        patience: epochs.
        freeze: names of parameters that hold one of these are not trained; LoRA is the caller's to add to the model.
        seed: of the order of rows.
    """

    lr: float = 2e-5
    epochs: int = 100
    batch: int = 32
    warmup: float = 0.03
    patience: int = 3
    freeze: tuple[str, ...] = ("vision_tower", "visual")
    seed: int = 0


@dataclass(frozen=True)
class Described:
    """One row to learn from.

    Args:
        image: the picture.
        phrases: in order.
        labels: a class 0, 1, 2 for each.
    """

    image: Any
    phrases: tuple[str, ...]
    labels: tuple[int, ...]


@dataclass(eq=False)
class PhraseClassifier:
    """Probabilities of (not applicable, clean, hallucinated) for every phrase of a description.

    Args:
        model: a vision-language model of transformers; its language head is not used.
        processor: its processor.
        head: linear, hidden size -> 3, bias 0 at first; None: a new one, seeded.
        prompt: what the description answers.
    """

    model: Any
    processor: Any
    head: Any = None
    prompt: str = PROMPT

    def __post_init__(self) -> None:
        import torch

        if self.head is None:
            width = self.model.get_input_embeddings().weight.shape[1]
            with torch.random.fork_rng():
                torch.manual_seed(0)
                self.head = torch.nn.Linear(width, len(CLASSES)).to(self.model.device)
            torch.nn.init.zeros_(self.head.bias)

    @property
    def separator(self) -> str:
        """The end-of-sequence token."""
        return str(self.processor.tokenizer.eos_token)

    @property
    def reserved(self) -> tuple[str, ...]:
        """What the processor reads as special tokens, the longest first: in a text it would break the layout."""
        known = {*self.processor.tokenizer.all_special_tokens, getattr(self.processor, "image_token", None) or ""}
        return tuple(sorted(known - {""}, key=len, reverse=True))

    def logits(self, images: Sequence[Any], phrases: Sequence[Sequence[str]]) -> list[torch.Tensor]:
        """(S, C) for every text, in the order of its phrases.

        Raises:
            ConfigError: a phrase holds the separator.
        """
        for own in phrases:
            if fault := alignment_fault(own, own, self.separator):
                raise ConfigError(f"PhraseClassifier: {fault}")
        texts = [self._text(image, own) for image, own in zip(images, phrases, strict=True)]
        shown = [[image] for image in images if image is not None]
        options = {"padding": True, "padding_side": "right", "return_tensors": "pt"}
        inputs = self.processor(text=texts, images=shown or None, **options).to(self.model.device)
        hidden_BTD = self.model(**inputs, output_hidden_states=True, logits_to_keep=1).hidden_states[-1]
        ends_BT = (inputs["input_ids"] == self.processor.tokenizer.eos_token_id) & (inputs["attention_mask"] > 0)
        rows = zip(hidden_BTD, ends_BT, phrases, strict=True)
        return [self.head(hidden[ends][-len(own) :]) for hidden, ends, own in rows]

    def _text(self, image: Any, phrases: Sequence[str]) -> str:
        parts = ([] if image is None else [{"type": "image"}]) + [{"type": "text", "text": self.prompt}]
        asked = self.processor.apply_chat_template(
            [{"role": "user", "content": parts}], add_generation_prompt=True, tokenize=False
        )
        return str(asked) + "".join(f"{phrase}{self.separator}" for phrase in phrases)

    def probabilities(self, images: Sequence[Any], phrases: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """(S, C) for every text, without gradients."""
        import torch

        with torch.no_grad():
            return [found.softmax(-1).double().cpu().numpy() for found in self.logits(images, phrases)]


def fit(
    classifier: PhraseClassifier, rows: Sequence[Described], held_out: Sequence[Described], how: Fitting
) -> Iterator[tuple[int, float, float]]:
    """Trains in place and keeps the best epoch; yields (epoch, loss, accuracy at the held-out separators)."""
    import torch

    model, head = classifier.model, classifier.head
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(parameter.requires_grad and not any(part in name for part in how.freeze))
    learnt = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=how.lr, weight_decay=0.0)
    rng, best, since = np.random.default_rng(how.seed), -1.0, 0
    kept: tuple[Any, Any] = (None, None)
    warm = max(1, int(how.warmup * how.epochs * len(rows) / how.batch))
    step = 0
    for epoch in range(how.epochs):
        model.train()
        losses = []
        for chosen in np.array_split(rng.permutation(len(rows)), max(1, len(rows) // how.batch)):
            step += 1
            optimizer.param_groups[0]["lr"] = how.lr * min(1.0, step / warm)
            loss = _loss(classifier, [rows[i] for i in chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        model.eval()
        right = accuracy(classifier, held_out, how.batch)
        yield epoch, float(np.mean(losses)), right
        since = 0 if right > best else since + 1
        if right > best:
            best = right
            kept = copy.deepcopy(model.state_dict()), copy.deepcopy(head.state_dict())
        if since >= how.patience:
            break
    if kept[0] is not None:
        model.load_state_dict(kept[0])
        head.load_state_dict(kept[1])


def _loss(classifier: PhraseClassifier, rows: Sequence[Described]) -> torch.Tensor:
    import torch

    logits = torch.cat(classifier.logits([row.image for row in rows], [row.phrases for row in rows]))
    labels = torch.tensor([label for row in rows for label in row.labels], device=logits.device)
    return torch.nn.functional.cross_entropy(logits.float(), labels, ignore_index=IGNORED)


def accuracy(classifier: PhraseClassifier, rows: Sequence[Described], batch: int = 32) -> float:
    """Share of phrases whose likeliest class is the label."""
    hits: list[bool] = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        found = classifier.probabilities([row.image for row in part], [row.phrases for row in part])
        for row, own in zip(part, found, strict=True):
            hits += [int(p.argmax()) == label for p, label in zip(own, row.labels, strict=True)]
    return float(np.mean(hits)) if hits else 0.0


@dataclass(eq=False)
class ClassifierJudge:
    """Classifiers of several kinds of facts as one judge that chooses a class for the last of some phrases.

    Questions about beginnings of the same description are one pass of the model.

    Args:
        classifiers: what the question's field `kind` says -> its classifier.
        name: its id; another one for other weights.
        batch: descriptions in a pass.

    Reads: the question's fields `kind` and `phrases`, its first picture; its options are the three classes. Special
    tokens that a policy spells out are read as blanks, lest one text fail all.
    """

    classifiers: Mapping[str, PhraseClassifier]
    name: str = "phrase classifiers"
    batch: int = 64

    @property
    def id(self) -> str:
        return self.name

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """Probabilities of the classes, one tuple a question."""
        verdicts: list[Verdict[tuple[float, ...]]] = [Verdict(error="not asked")] * len(questions)
        for kind in dict.fromkeys(question.field("kind") for question in questions):
            mine = [i for i, question in enumerate(questions) if question.field("kind") == kind]
            if kind not in self.classifiers:
                for i in mine:
                    verdicts[i] = Verdict(error=f"{self.id} has no classifier of {kind!r:.60}")
                continue
            for i, verdict in zip(mine, self._of_kind(kind, [questions[i] for i in mine]), strict=True):
                verdicts[i] = verdict
        return verdicts

    def _of_kind(self, kind: str, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        classifier = self.classifiers[kind]
        reserved = classifier.reserved
        asked = [
            (_picture(question), tuple(_without(str(p), reserved) for p in question.field("phrases")))
            for question in questions
        ]
        longest = _longest(asked)
        found: dict[Any, np.ndarray] = {}
        for start in range(0, len(longest), self.batch):
            part = longest[start : start + self.batch]
            shown = [None if image is None else images.load(image) for image, _ in part]
            chances = classifier.probabilities(shown, [phrases for _, phrases in part])
            for (image, phrases), own in zip(part, chances, strict=True):
                found.update({(id(image), phrases[: i + 1]): own[i] for i in range(len(phrases))})
        return [Verdict(tuple(map(float, found[id(image), phrases]))) for image, phrases in asked]


def _without(text: str, reserved: Sequence[str]) -> str:
    for token in reserved:
        text = text.replace(token, " ")
    return text


def _picture(question: Question) -> Any:
    return question.images[0] if question.images else None


def _longest(asked: Sequence[tuple[Any, tuple[str, ...]]]) -> list[tuple[Any, tuple[str, ...]]]:
    """The descriptions that are no beginning of another one of the same picture."""
    found: dict[Any, tuple[Any, tuple[str, ...]]] = {}
    covered: set[Any] = set()
    for image, phrases in sorted(asked, key=lambda one: -len(one[1])):
        if (id(image), phrases) not in covered:
            found[id(image), phrases] = (image, phrases)
            covered.update((id(image), phrases[: i + 1]) for i in range(len(phrases)))
    return list(found.values())
