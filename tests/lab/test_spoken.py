"""Descriptions and their truth, and the classifier of phrases on the tiny model."""

import numpy as np
import pytest

from sightline.core.errors import ConfigError
from sightline.judges.judge import Question
from sightline.lab.models import tiny_vlm, tokenizer
from sightline.lab.worlds.spoken import ASK, Spoken, phrase_classes
from sightline.parse.phrases import Phrases
from sightline.train.phrase_classifier import ClassifierJudge, Described, Fitting, PhraseClassifier, accuracy, fit


def test_true_descriptions_are_clean_and_survive_the_tokenizer() -> None:
    world = Spoken(errors=(0.0, 0.0, 0.0))
    reader, rng = tokenizer.build(), np.random.default_rng(0)
    seen = []
    for row in world.rows(12):
        said = world.describe(row, rng)
        assert reader.decode(reader.encode(said)) == said
        phrases = [phrase.text for phrase in Phrases()(said)]
        assert len(phrases) == 3
        seen += [phrase_classes(phrase, row["truth"]["objects"]) for phrase in phrases]
    assert np.mean([one == (1, 1, 1) for one in seen]) > 0.95  # two things may lie level, then no side is true


def test_errors_are_of_the_kind_asked_for() -> None:
    rng = np.random.default_rng(0)
    world = Spoken(errors=(0.0, 1.0, 0.0))
    found = [
        phrase_classes(phrase.text, row["truth"]["objects"])
        for row in world.rows(20)
        for phrase in Phrases()(world.describe(row, rng))
    ]
    objects, attributes, _ = np.array(found).T
    assert set(objects) == {1}
    assert (attributes == 2).mean() > 0.4


@pytest.fixture(scope="module")
def classifier() -> PhraseClassifier:
    return PhraseClassifier(*tiny_vlm.load("base"), prompt=ASK)


def rows(n: int) -> list[Described]:
    world, rng = Spoken(), np.random.default_rng(0)
    found = []
    for i, row in enumerate(world.rows(n)):
        phrases = tuple(phrase.text for phrase in Phrases()(world.describe(row, rng)))[: 1 + i % 3]
        labels = tuple(2 if "red" in phrase else 1 if "blue" in phrase else 0 for phrase in phrases)
        found.append(Described(row["images"][0], phrases, labels))
    return found


def test_a_pass_over_all_phrases_is_a_pass_over_each_beginning(classifier: PhraseClassifier) -> None:
    described = rows(3)
    together = classifier.probabilities([row.image for row in described], [row.phrases for row in described])
    for row, own in zip(described, together, strict=True):
        assert own.shape == (len(row.phrases), 3)
        for i in range(len(row.phrases)):
            (alone,) = classifier.probabilities([row.image], [row.phrases[: i + 1]])
            np.testing.assert_allclose(alone[-1], own[i], atol=1e-4)


def test_as_a_judge(classifier: PhraseClassifier) -> None:
    row = rows(3)[2]
    asked = [Question("", (("kind", "k"), ("phrases", row.phrases[: i + 1])), images=(row.image,)) for i in (2, 0)]
    judge = ClassifierJudge({"k": classifier})
    found = [verdict.value for verdict in judge.choose([*asked, Question("", (("kind", "x"), ("phrases", ("a",))))])]
    (wanted,) = classifier.probabilities([row.image], [row.phrases])
    np.testing.assert_allclose(found[0], wanted[2], atol=1e-4)
    np.testing.assert_allclose(found[1], wanted[0], atol=1e-4)
    assert found[2] is None
    spoiled = [
        Question("", (("kind", "k"), ("phrases", (f"a {t} b",))), images=(row.image,)) for t in ("<eos>", "<image>")
    ]
    assert all(verdict.value is not None for verdict in judge.choose([*asked, *spoiled]))
    with pytest.raises(ConfigError, match="holds the separator"):
        classifier.logits([row.image], [("a <eos> b",)])


def test_it_learns_and_keeps_its_best_epoch() -> None:
    pupil = PhraseClassifier(*tiny_vlm.load("base"), prompt=ASK)
    assert not pupil.head.bias.detach().numpy().any()
    described = rows(24)
    course = list(fit(pupil, described[:16], described[16:], Fitting(lr=2e-3, epochs=3, batch=4)))
    assert course[-1][1] < course[0][1]
    assert accuracy(pupil, described[16:]) == max(right for _, _, right in course)
