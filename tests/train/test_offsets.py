"""Characters of sampled tokens: whatever way the tokenizer decodes, the pieces cover the text in order."""

from __future__ import annotations

import pytest

pytest.importorskip("trl")

import numpy as np
from tiny import WORDS, tokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from sightline.train.offsets import TokenOffsets


def bytes_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, and a few merged ones, as byte-level BPE has them."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = ["<eos>", *letters, "Ġa", "ab"]
    model = models.BPE({name: i for i, name in enumerate(names)}, [("Ġ", "a"), ("a", "b")])
    made = Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<eos>")


def read(text: str, offsets: np.ndarray) -> list[str]:
    return [text[a:b] for a, b in offsets]


def test_words_and_the_end_of_the_text() -> None:
    words = tokenizer()
    ids = [*words.encode("red green"), words.eos_token_id]
    assert read("red green", TokenOffsets(words)(ids, "red green")) == ["red", " green", ""]


def test_tokens_that_share_a_character_all_have_it() -> None:
    text = "é ab日"
    reader = bytes_tokenizer()
    ids = reader.encode(text)
    pieces = read(text, TokenOffsets(reader)(ids, text))
    assert pieces[:2] == ["é", "é"]
    assert pieces[-3:] == ["日", "日", "日"]
    assert "".join(dict.fromkeys(pieces)) == text


def test_sampled_tokens_need_not_be_those_of_the_text() -> None:
    reader = bytes_tokenizer()
    split = reader.convert_tokens_to_ids(["a", "b"])
    assert split != reader.encode("ab")
    assert TokenOffsets(reader)(split, "ab").tolist() == [[0, 1], [1, 2]]


def test_what_a_tool_wrote_has_no_place() -> None:
    words = tokenizer()
    ids = words.encode("one two yes red")
    found = TokenOffsets(words)(ids, "one two\nred", [True, True, False, True])
    assert read("one two\nred", found[[0, 1]]) == ["one", " two"]
    assert found[2].tolist() == [-1, -1]
    assert read("one two\nred", found[[3]]) == ["red"]


def test_a_run_that_is_not_in_the_text_has_no_place() -> None:
    words = tokenizer()
    assert (TokenOffsets(words)(words.encode("red"), "something else") == -1).all()
    assert TokenOffsets(words)([], "").shape == (0, 2)


def test_a_decoder_that_looks_ahead() -> None:
    """The lab's tokenizer drops blanks and commas once it knows what follows."""
    from sightline.lab.models import tokenizer as lab

    reader = lab.build()
    text = '<think>red 3</think> <answer>{"bbox_2d": [1, 2, 3, 4]}</answer>'
    ids = reader.encode(text, add_special_tokens=False)
    found = TokenOffsets(reader)(ids, reader.decode(ids))
    assert found[0, 0] == 0
    assert found[-1, 1] == len(text)
    assert (np.diff(found[:, 0]) >= 0).all()
    assert read(text, found[[1]]) == ["red"]
    assert all(any(a <= at < b for a, b in found) for at in range(len(text)))


@pytest.mark.parametrize("seed", range(3))
def test_pieces_cover_any_text(seed: int) -> None:
    words = tokenizer()
    rng = np.random.default_rng(seed)
    text = " ".join(rng.choice(WORDS, 30))
    assert "".join(read(text, TokenOffsets(words)(words.encode(text), text))) == text
