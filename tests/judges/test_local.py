"""The local judge on tiny random models of real architectures, against forward passes done by hand."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sightline.core.errors import ConfigError
from sightline.judges import CachedJudge, LocalJudge, Question, Sampling

torch = pytest.importorskip("torch", reason="the local judge needs the extra `train`")
transformers = pytest.importorskip("transformers")
pytest.importorskip("tokenizers")
from tiny_models import SIZES, TEMPLATE, VOCABULARY, tokenizer  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(vocab_size=VOCABULARY, **SIZES, bos_token_id=1, eos_token_id=2)
    return saved(transformers.LlamaForCausalLM(config), tokenizer(), tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def absolute_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """GPT-2 learns a vector per position: padding on the wrong side would show."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=64, bos_token_id=1, eos_token_id=2
    )
    return saved(transformers.GPT2LMHeadModel(config), tokenizer(None), tmp_path_factory.mktemp("absolute"))


@pytest.fixture(scope="module")
def seeing_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    vision = transformers.CLIPVisionConfig(**SIZES, image_size=16, patch_size=8, projection_dim=16)
    text = transformers.LlamaConfig(vocab_size=VOCABULARY, **SIZES, bos_token_id=1, eos_token_id=2)
    parts = {"vision_config": vision, "text_config": text, "image_token_index": 4}
    config = transformers.LlavaConfig(**parts, vision_feature_select_strategy="default")
    model = transformers.LlavaForConditionalGeneration(config)
    side = {"height": 16, "width": 16}
    pictures = transformers.CLIPImageProcessorPil(size=side, crop_size=side, do_center_crop=False)
    processor = transformers.LlavaProcessor(
        pictures, tokenizer(), patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    )  # fmt: skip
    return saved(model, processor, tmp_path_factory.mktemp("seeing"))


@pytest.fixture(scope="module")
def dual_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    text = {**SIZES, "vocab_size": VOCABULARY, "max_position_embeddings": 12, "eos_token_id": 2}
    config = transformers.CLIPConfig(
        text_config=text, vision_config={**SIZES, "image_size": 16, "patch_size": 8}, projection_dim=8
    )
    side = {"height": 16, "width": 16}
    processor = transformers.CLIPProcessor(
        transformers.CLIPImageProcessorPil(size=side, crop_size=side), tokenizer(None)
    )
    return saved(transformers.CLIPModel(config), processor, tmp_path_factory.mktemp("dual"))


def saved(model: Any, processor: Any, folder: Path) -> str:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def picture(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (16, 16, 3), dtype=np.uint8))


TEXTS = ["is the ball red ?", "is it ?", "the cat in the box is the dog on the box ?", "a"]
CONTINUATIONS = [" yes", " no it is the blue ball", " 10", " the red cat"]
SCORED = [Question(text, continuation=said) for text, said in zip(TEXTS, CONTINUATIONS, strict=True)]


def by_hand(path: str, prompt: str, continuation: str, first_id: list[int]) -> list[float]:
    """Log-probabilities from one forward pass of one unpadded row."""
    model, words = transformers.AutoModelForCausalLM.from_pretrained(path), tokenizer()
    before = first_id + words(prompt, add_special_tokens=False)["input_ids"]
    after = words(continuation, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logp = model(torch.tensor([before + after])).logits[0].log_softmax(-1)
    return [float(logp[len(before) - 1 + place, token]) for place, token in enumerate(after)]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_loglik_is_the_forward_pass(text_model: str, batch_size: int) -> None:
    verdicts = LocalJudge(text_model, batch_size=batch_size).loglik(SCORED)
    for question, verdict in zip(SCORED, verdicts, strict=True):
        expected = by_hand(text_model, f"user : {question.text()} :", question.continuation, [])
        assert verdict.value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_loglik_where_positions_are_absolute(absolute_model: str, batch_size: int) -> None:
    verdicts = LocalJudge(absolute_model, batch_size=batch_size).loglik(SCORED)
    for question, verdict in zip(SCORED, verdicts, strict=True):
        expected = by_hand(absolute_model, question.text(), question.continuation, [])
        assert verdict.value == pytest.approx(expected, abs=1e-5)


def test_choose_shares_are_likelihoods_of_the_spellings(text_model: str) -> None:
    judge = LocalJudge(text_model)
    question = Question("is the ball red ?", options=("yes", "no"))

    def p(word: str) -> float:
        return math.exp(sum(by_hand(text_model, "user : is the ball red ? :", word, [])))

    yes, no = p("yes") + p("Yes"), p("no") + p("No")
    assert judge.choose([question])[0].value == pytest.approx((yes / (yes + no), no / (yes + no)), abs=1e-6)
    cased = judge.choose([Question("is the ball red ?", options=("yes", "Yes"))])[0].value
    assert cased == pytest.approx((p("yes") / yes, p("Yes") / yes), abs=1e-6)


def test_choose_among_options_of_several_words(text_model: str) -> None:
    options = ("A red ball", "A red cat", "the dog")
    masses = [math.exp(sum(by_hand(text_model, "user : it ? :", o, []))) for o in options]
    shares = LocalJudge(text_model).choose([Question("it ?", options=options)])[0].value
    # other spellings are unknown words here, or the same tokens: `a red ball` is one of its own
    lower = [math.exp(sum(by_hand(text_model, "user : it ? :", o.lower(), []))) for o in options[:2]]
    total = [masses[0] + lower[0], masses[1] + lower[1], masses[2]]
    unknown = math.exp(sum(by_hand(text_model, "user : it ? :", "The dog", [])))
    total[2] += unknown
    assert shares == pytest.approx([mass / sum(total) for mass in total], abs=1e-6)


def test_choose_refuses_what_cannot_be_told_apart(text_model: str) -> None:
    batch = [
        Question("it ?", options=("red", "red ball")),
        Question("it ?", options=("red", "red")),
        Question("it ?", options=("red", "")),
        Question("it ?"),
        Question("it ?", options=("red", "blue")),
    ]
    verdicts = LocalJudge(text_model).choose(batch)
    assert [bool(verdict.error) for verdict in verdicts] == [True] * 4 + [False]
    assert "begins with" in verdicts[0].error


@pytest.mark.parametrize("model", ["text_model", "seeing_model"])
def test_batch_is_as_single(model: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(model)
    pictures = [(), (picture(1),), (picture(2), picture(3)), (picture(4),)]
    shown = pictures if model == "seeing_model" else [()] * 4
    batch = [
        Question(text, images=images, options=("A", "B", "C"), continuation=said, sampling=Sampling(max_tokens=6))
        for text, said, images in zip(TEXTS, CONTINUATIONS, shown, strict=True)
    ]
    many, one = LocalJudge(path, batch_size=4), LocalJudge(path, batch_size=1)
    assert [v.error for v in many.generate(batch)] == [""] * 4
    assert many.generate(batch) == one.generate(batch)
    for ability in ("choose", "loglik", "embed"):
        together, apart = getattr(many, ability)(batch), getattr(one, ability)(batch)
        for a, b in zip(together, apart, strict=True):
            assert a.error == b.error == ""
            assert a.value == pytest.approx(b.value, abs=1e-5)


def test_generate_continues_greedily(text_model: str) -> None:
    model, words = transformers.AutoModelForCausalLM.from_pretrained(text_model), tokenizer()
    ids = words("user : is it ? :", add_special_tokens=False)["input_ids"]
    said: list[int] = []
    for _ in range(5):
        with torch.no_grad():
            said.append(int(model(torch.tensor([ids + said])).logits[0, -1].argmax()))
        if said[-1] == 2:
            break
    question = Question("is it ?", sampling=Sampling(max_tokens=5))
    assert LocalJudge(text_model).generate([question])[0].value == words.decode(said, skip_special_tokens=True)


def test_samples_follow_their_seed_not_their_company(text_model: str) -> None:
    def question(seed: int, text: str = "is it ?") -> Question:
        return Question(text, sampling=Sampling(temperature=1.0, max_tokens=8, seed=seed))

    judge = LocalJudge(text_model)
    alone = judge.generate([question(1)])[0]
    company = judge.generate([question(1, "a"), question(1), question(2)])
    assert company[1] == alone
    assert company[2] != alone


def test_pictures_change_what_is_said(seeing_model: str) -> None:
    judge = LocalJudge(seeing_model)
    vectors = [judge.loglik([Question("it ?", images=(picture(n),), continuation=" red")])[0].value for n in (1, 2, 1)]
    assert vectors[0] == vectors[2] != vectors[1]


def test_bad_picture_fails_alone(seeing_model: str) -> None:
    batch = [Question("it ?", images=(image,)) for image in (picture(1), "none.png", picture(2))]
    verdicts = LocalJudge(seeing_model).embed(batch)
    assert [bool(verdict.error) for verdict in verdicts] == [False, True, False]
    assert "none.png" in verdicts[1].error


def test_text_model_refuses_pictures(text_model: str) -> None:
    verdict = LocalJudge(text_model).generate([Question("it ?", images=(picture(1),))])[0]
    assert "takes no pictures" in verdict.error


def test_embed_is_the_mean_hidden_state(text_model: str) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(text_model)
    ids = tokenizer()("user : is it ? :", add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected = model(ids, output_hidden_states=True).hidden_states[-1][0].mean(0).tolist()
    assert LocalJudge(text_model).embed([Question("is it ?")])[0].value == pytest.approx(expected, abs=1e-5)


def test_dual_encoder_embeds_both_into_one_space(dual_model: str) -> None:
    model = transformers.CLIPModel.from_pretrained(dual_model).eval()
    processor = transformers.CLIPProcessor.from_pretrained(dual_model)
    with torch.no_grad():
        out = model(**processor(text=["the red ball"], images=[picture(1)], return_tensors="pt"))
    shown = [(), (picture(1),), (picture(1), picture(2))]
    batch = [Question("" if images else "the red ball", images=images) for images in shown]
    text, image, two = (np.array(verdict.value) for verdict in LocalJudge(dual_model).embed(batch))
    assert text / np.linalg.norm(text) == pytest.approx(out.text_embeds[0].numpy(), abs=1e-5)
    assert image / np.linalg.norm(image) == pytest.approx(out.image_embeds[0].numpy(), abs=1e-5)
    other = np.array(LocalJudge(dual_model).embed([Question("", images=(picture(2),))])[0].value)
    assert two == pytest.approx((image + other) / 2, abs=1e-5)


def test_judge_is_a_value_and_knows_its_weights(text_model: str, tmp_path: Path) -> None:
    judge = LocalJudge(text_model)
    assert pickle.loads(pickle.dumps(judge)) == judge
    before = judge.id
    cached = CachedJudge(judge, str(tmp_path / "v.sqlite"))
    assert cached.loglik(SCORED) == cached.loglik(SCORED)
    assert len(cached.store) == len(SCORED)
    (Path(text_model) / "note.txt").write_text("changed")
    assert judge.id != before
    (Path(text_model) / "note.txt").unlink()


def test_model_that_is_not_there_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no usable model"):
        LocalJudge(str(tmp_path / "none")).generate([Question("q")])
