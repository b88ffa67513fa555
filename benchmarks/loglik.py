"""Log-likelihoods of 64-token continuations, beside full logits and TRL's selective log-softmax. One process, one core.

    python benchmarks/loglik.py [--gpu]

A random Llama; 8 continuations on each prompt. `floor` is the time of the matrix products alone, of the shapes that
the work with reuse cannot do without: every linear layer over every prompt once and over every continuation, and the
output layer over the continuations. All ways compute the same numbers; the script stops if they do not.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import transformers
from trl.trainer.utils import selective_log_softmax

from sightline.judges import ModelJudge, Question
from sightline.judges.vocabulary import token_logps

PROMPTS, EACH, PROMPT_TOKENS, TOKENS = 1, 8, 256, 64
SMALL = {"hidden_size": 640, "intermediate_size": 1792, "num_hidden_layers": 4, "num_attention_heads": 10}
LARGE = {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28}


class Numbers:
    """A tokenizer of numbers: what is scored here is arithmetic."""

    chat_template = None
    padding_side = "right"
    pad_token_id = 0

    def __call__(self, texts: str | list[str], **_: Any) -> Any:
        if isinstance(texts, str):
            return {"input_ids": [int(word) for word in texts.split()]}
        rows = [[int(word) for word in text.split()] for text in texts]
        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)], mask[number, : len(row)] = torch.tensor(row), 1
        return transformers.BatchEncoding({"input_ids": ids, "attention_mask": mask})


def questions(vocabulary: int) -> list[Question]:
    """Prompts with several continuations each."""
    torch.manual_seed(1)

    def words(size: int) -> str:
        return " ".join(map(str, torch.randint(5, vocabulary, (size,)).tolist()))

    prompts = [words(PROMPT_TOKENS) for _ in range(PROMPTS)]
    return [Question(prompt, continuation=" " + words(TOKENS)) for prompt in prompts for _ in range(EACH)]


def ids_of(asked: Sequence[Question], device: Any) -> torch.Tensor:
    return torch.tensor([[int(w) for w in (q.text() + q.continuation).split()] for q in asked], device=device)


def full_logits(model: Any, asked: Sequence[Question]) -> torch.Tensor:
    """Every logit of every position, a log-softmax over all of them: as judge scripts do it, prompt by prompt."""
    found = []
    for start in range(0, len(asked), EACH):
        ids_BT = ids_of(asked[start : start + EACH], model.device)
        logp_BTV = model(input_ids=ids_BT).logits[:, :-1].float().log_softmax(-1)
        found.append(logp_BTV.gather(2, ids_BT[:, 1:, None])[:, -TOKENS:, 0])
    return torch.cat(found)


def selective(model: Any, asked: Sequence[Question]) -> torch.Tensor:
    """TRL: logits of the continuation only, selective log-softmax."""
    found = []
    for start in range(0, len(asked), EACH):
        ids_BT = ids_of(asked[start : start + EACH], model.device)
        logits_BTV = model(input_ids=ids_BT, logits_to_keep=TOKENS + 1).logits[:, :-1]
        found.append(selective_log_softmax(logits_BTV.float(), ids_BT[:, -TOKENS:]))
    return torch.cat(found)


@cache
def judge_of(model: Any) -> ModelJudge:
    return ModelJudge(model, Numbers(), batch_size=EACH)


def ours(model: Any, asked: Sequence[Question]) -> torch.Tensor:
    """`ModelJudge`: each prompt once, the vocabulary in chunks."""
    verdicts = judge_of(model).loglik(asked)
    assert not any(verdict.error for verdict in verdicts), verdicts[0].error
    return torch.tensor([verdict.value for verdict in verdicts])


def apart(model: Any, asked: Sequence[Question]) -> torch.Tensor:
    """Our chunks, but every continuation with a prompt of its own: what reuse is held against."""
    found = []
    layer = model.get_output_embeddings()
    for start in range(0, len(asked), EACH):
        ids_BT = ids_of(asked[start : start + EACH], model.device)
        states_BTD = model.base_model(input_ids=ids_BT).last_hidden_state[:, -TOKENS - 1 : -1]
        logps = token_logps(states_BTD.flatten(0, 1), layer.weight, ids_BT[:, -TOKENS:].flatten())
        found.append(logps.view(EACH, TOKENS))
    return torch.cat(found)


def products(model: Any) -> None:
    """The matrix products alone."""
    head = model.get_output_embeddings()
    layers = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head]
    kind = {"device": model.device, "dtype": model.dtype}
    for _ in range(PROMPTS):
        for rows in (PROMPT_TOKENS, EACH * (TOKENS - 1)):
            for layer in layers:
                torch.randn(1, layer.in_features, **kind).expand(rows, -1).contiguous() @ layer.weight.T
        torch.randn(1, head.in_features, **kind).expand(EACH * TOKENS, -1).contiguous() @ head.weight.T


def seconds(work: Callable[[], Any], times: int = 2) -> float:
    """The best of several times, after one to warm up; on a CPU what the process used, for others may be at work."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    found = []
    for _ in range(times + 1):
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        start = clock()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        found.append(clock() - start)
    return min(found[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu", action="store_true", help="a 7 B model in bfloat16 on the first GPU")
    parser.add_argument("--vocabulary", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary = options.vocabulary or (152_064 if options.gpu else 32_000)
    shape = LARGE if options.gpu else SMALL
    config = transformers.LlamaConfig(vocab_size=vocabulary, **shape, max_position_embeddings=4096)
    torch.manual_seed(0)
    with torch.device("cuda" if options.gpu else "cpu"), torch.no_grad():
        torch.set_default_dtype(torch.bfloat16 if options.gpu else torch.float32)
        model = transformers.LlamaForCausalLM(config).eval()
        torch.set_default_dtype(torch.float32)
        asked = questions(vocabulary)
        ways = {"full logits": full_logits, "TRL selective": selective, "chunks, no reuse": apart, "sightline": ours}
        expected = full_logits(model, asked).float().cpu()
        size = sum(p.numel() for p in model.parameters()) / 1e6
        print(f"{size:.0f} M parameters, vocabulary {vocabulary}, {PROMPTS} prompts of {PROMPT_TOKENS} tokens, "
              f"{EACH} continuations of {TOKENS} each")  # fmt: skip
        floor = seconds(lambda: products(model))
        print(f"{'floor':18} {floor * 1e3:8.1f} ms")
        for name, way in ways.items():
            found = way(model, asked).float().cpu()
            assert torch.allclose(found, expected, atol=0.1 if options.gpu else 1e-3), name
            if options.gpu:
                torch.cuda.reset_peak_memory_stats()
            took = seconds(lambda way=way: way(model, asked))  # type: ignore[misc]
            peak = f"  peak {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB" if options.gpu else ""
            print(f"{name:18} {took * 1e3:8.1f} ms  {took / floor:5.2f} x floor{peak}", flush=True)


if __name__ == "__main__":
    main()
