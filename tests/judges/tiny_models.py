"""Tiny random models of real architectures with a tokenizer of whole words, for tests of judges in process."""

from __future__ import annotations

from typing import Any

import tokenizers
import torch
import transformers

WORDS = "<pad> <s> </s> <unk> <image> user : is the a red blue ball cat dog yes no Yes No A B C 1 2 0 10 in on box it ?"
TEMPLATE = (
    "{% for m in messages %}user : {% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}"
    "{% if p.type == 'image' %}<image> {% else %}{{ p.text }}{% endif %}{% endfor %}{% endif %}{% endfor %} :"
)
SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
VOCABULARY = len(WORDS.split())
TEXT = {**SIZES, "vocab_size": VOCABULARY, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def tokenizer(template: str | None = TEMPLATE) -> Any:
    vocabulary = {word: number for number, word in enumerate(WORDS.split())}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    extra = {"image_token": "<image>"}
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, **special, extra_special_tokens=extra)
    made.chat_template = template
    return made


def llama() -> Any:
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**TEXT)).eval()


def gpt2() -> Any:
    """Learns a vector per position."""
    torch.manual_seed(0)
    sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=VOCABULARY, **sizes, bos_token_id=1, eos_token_id=2)
    ).eval()


def softened() -> Any:
    """Gemma 2: logits through a tanh, every other layer with a window."""
    torch.manual_seed(0)
    sizes = {**TEXT, "num_key_value_heads": 2, "head_dim": 8, "final_logit_softcapping": 0.05, "sliding_window": 4}
    return transformers.Gemma2ForCausalLM(transformers.Gemma2Config(**sizes)).eval()


def scaled() -> Any:
    """Granite: logits are divided by a constant that our output layer knows nothing of."""
    torch.manual_seed(0)
    return transformers.GraniteForCausalLM(transformers.GraniteConfig(**TEXT, logits_scaling=7.0)).eval()


def recurrent() -> Any:
    """Mamba: no keys and values."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "state_size": 4, "vocab_size": VOCABULARY}
    return transformers.MambaForCausalLM(transformers.MambaConfig(**sizes, pad_token_id=0)).eval()


def qwen_vl() -> Any:
    """Qwen2.5-VL, whose pictures take fewer positions than tokens."""
    torch.manual_seed(0)
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    text = {**TEXT, "num_key_value_heads": 2, "rope_parameters": rope}
    vision = {
        "depth": 2, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 16,
        "patch_size": 4, "fullatt_block_indexes": [1], "window_size": 16,
    }  # fmt: skip
    config = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision, image_token_id=4)
    return transformers.Qwen2_5_VLForConditionalGeneration(config).eval()


class QwenInputs:
    """What a Qwen2.5-VL processor makes of texts and pictures of 16x24 pixels; the real one needs torchvision."""

    chat_template = TEMPLATE
    grid = (1, 4, 6)

    def __init__(self) -> None:
        self.tokenizer = tokenizer()

    def apply_chat_template(self, messages: Any, **how: Any) -> str:
        return str(self.tokenizer.apply_chat_template(messages, **how))

    def __call__(self, text: list[str], images: list[list[Any]], **how: Any) -> Any:
        tokens = self.grid[1] * self.grid[2] // 4
        texts = [one.replace("<image>", "<image> " * tokens) for one in text]
        found = self.tokenizer(texts, **how)
        count = sum(len(several) for several in images)
        pixels = [self._patches(picture) for several in images for picture in several]
        found["pixel_values"] = torch.cat(pixels)
        found["image_grid_thw"] = torch.tensor([self.grid] * count)
        found["mm_token_type_ids"] = (found["input_ids"] == 4).long()
        return found

    def _patches(self, picture: Any) -> torch.Tensor:
        generator = torch.Generator().manual_seed(picture.getpixel((0, 0))[0])
        return torch.randn(self.grid[1] * self.grid[2], 3 * 2 * 4 * 4, generator=generator)
