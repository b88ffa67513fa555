"""The response is found behind its prompt, however much of the prompt decoding has changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.parse.after_prompt import AfterPrompt

CHAT = "<|im_start|>user\n<image>Where is the cat?<|im_end|>\n<|im_start|>assistant\n"
CASES = {
    "as it is": (CHAT, CHAT + "Left.", "Left."),
    "a token before it": ("Where is it?", "<|begin_of_text|>Where is it? Left.", " Left."),
    "a picture that became many tokens": (CHAT, CHAT.replace("<image>", "<|image_pad|>" * 9) + "Left.", "Left."),
    "its beginning is cut off": (CHAT, CHAT[20:] + "Left.", "Left."),
    "nothing was written": ("Where?", "Where?", ""),
    "said again in the response": ("Where is it?", "<s>Where is it? Where is it? Left.", " Where is it? Left."),
    "another prompt, with a turn": ("Where is the dog, please?", "Where<|im_start|>assistant\nLeft.", "Left."),
    "short, behind a token": ("Q", "<s>Q4", "4"),
}


@pytest.mark.parametrize("what", CASES)
def test_the_response(what):
    prompt, text, response = CASES[what]
    assert AfterPrompt(prompt)(text) == response


def test_a_text_without_its_prompt():
    found = AfterPrompt("Where is the dog?")("Left.")
    assert not found
    assert found.why == "the text does not hold its prompt"


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_follows_a_prompt_is_found(prompt, response):
    assert AfterPrompt(prompt)(prompt + response) == response


@pytest.mark.timeout(60)
def test_long_texts():
    prompt = "a" * 200_000
    assert AfterPrompt(prompt + "b")("a" * 400_000 + "bc") == "c"
    assert not AfterPrompt(prompt + "b")("a" * 400_000)
