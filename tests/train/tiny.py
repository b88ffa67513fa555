"""A language model of a few thousand weights with a word-level tokenizer, and rewards that look at words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sightline.core import Rollout, Score, Scores, abstain
from sightline.core.batch import Batch
from sightline.judges.judge import Question, Verdict
from sightline.rewards import JudgedReward, Reward, RowReward

WORDS = ["red", "green", "blue", "one", "two", "three", "yes", "no", "what", "is"]
# what transformers 5.23 says of names that TRL 1.16 uses
DEPRECATED = r"ignore:`(is_)?gradient_checkpointing(_disable|_enable)?(\(\))?` is deprecated:FutureWarning"
QUIET: dict[str, Any] = {
    "report_to": "none",
    "bf16": False,
    "use_cpu": True,
    "gradient_checkpointing": False,
    "logging_steps": 1,
    "save_strategy": "no",
    "disable_tqdm": True,
    "learning_rate": 1e-2,
    "lr_scheduler_type": "constant",
    "max_completion_length": 5,
    "dataloader_pin_memory": False,
}


def tokenizer(chat: bool = False) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<pad>", "<eos>", "<unk>", *WORDS]
    words = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", padding_side="left"
    )
    if chat:
        made.chat_template = "{% for turn in messages %}{{ turn['content'] }} {% endfor %}"
    return made


def model(seed: int = 0) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    names = len(WORDS) + 3
    config = LlamaConfig(
        vocab_size=names,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def rows(count: int = 4) -> list[dict[str, Any]]:
    colours = ["red", "green", "blue"]
    return [{"prompt": f"what is {WORDS[3 + i % 3]}", "answer": colours[i % 3], "row": i} for i in range(count)]


@dataclass(frozen=True)
class Says(RowReward):
    """Share of words that are the answer."""

    reads = ("answer",)

    def row(self, rollout: Rollout) -> Score:
        said = rollout.text.split()
        return Score(sum(word == rollout["answer"] for word in said) / max(len(said), 1), "counted")


@dataclass(frozen=True)
class Short(RowReward):
    """1 for no words, less for more; abstains on texts that begin with `no`."""

    reads = ("completion_tokens",)

    def row(self, rollout: Rollout) -> Score:
        if rollout.text.startswith("no"):
            return abstain("begins with no")
        return Score(1.0 / (1 + rollout["completion_tokens"]))


@dataclass(frozen=True)
class AboveMean(Reward):
    """How much longer a rollout is than the mean of its group: needs the group whole."""

    scope = "group"
    range = (-1000.0, 1000.0)

    def score(self, batch: Batch) -> Scores:
        import numpy as np

        lengths = np.array([len(text) for text in batch.texts], float)
        values = lengths.copy()
        for group in batch.groups():
            values[group] -= lengths[group].mean()
        return Scores.of(values)


@dataclass(frozen=True)
class BrokenJudge:
    """A judge that raises."""

    id: str = "broken"

    def generate(self, questions: list[Question]) -> list[Verdict[str]]:
        raise ConnectionError("the judge is down")


@dataclass(frozen=True)
class Approved(JudgedReward):
    """What a judge says of the text."""

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [(Question(text),) for text in batch.texts]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        from sightline.core.scores import failed

        return Scores.from_rows([failed(v.error) if v.error else Score(float(v.value)) for (v,) in verdicts])


REWARD = Says().named("says") + 0.5 * Short().named("short") + 0.01 * AboveMean().named("longer")
