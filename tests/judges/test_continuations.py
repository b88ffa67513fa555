"""Likelihoods with a prompt encoded once and logits in chunks, against plain forward passes."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="judges in process need the extra `train`")
pytest.importorskip("transformers")
import tiny_models as tiny  # noqa: E402

from sightline.judges import ModelJudge, Question  # noqa: E402
from sightline.judges.vocabulary import token_logps  # noqa: E402

MODELS = {"llama": tiny.llama, "gpt2": tiny.gpt2, "softened": tiny.softened, "scaled": tiny.scaled,
          "recurrent": tiny.recurrent}  # fmt: skip
PROMPTS = ("is the ball red ?", "it ?", "the cat in the box is the dog on the box ?")
SAID = (" yes", " no it is the blue ball", " no it is", " 10 in the box", " yes it is red")
RED, BLUE = Image.new("RGB", (24, 16), "red"), Image.new("RGB", (24, 16), "blue")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def judge(model: Any, processor: Any = None, batch_size: int = 4) -> ModelJudge:
    return ModelJudge(model, processor or tiny.tokenizer(), "tiny", batch_size)


def plain(model: Any, question: Question) -> list[float]:
    """One unpadded row, all logits."""
    words = tiny.tokenizer()
    before = words(f"user : {question.text()} :{question.opening}", add_special_tokens=False)["input_ids"]
    after = words(question.continuation, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logp = model(torch.tensor([before + after])).logits[0].float().log_softmax(-1)
    return [float(logp[len(before) - 1 + place, token]) for place, token in enumerate(after)]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_shared_prompts_are_as_plain_passes(name: str, batch_size: int) -> None:
    model = MODELS[name]()
    batch = [Question(prompt, continuation=said) for said in SAID for prompt in PROMPTS]
    verdicts = judge(model, batch_size=batch_size).loglik(batch)
    for question, verdict in zip(batch, verdicts, strict=True):
        assert verdict.value == pytest.approx(plain(model, question), abs=1e-5), verdict.error


@pytest.mark.parametrize(
    ("name", "reuses"),
    [("llama", True), ("gpt2", True), ("scaled", False), ("softened", False), ("recurrent", False)],
)
def test_a_trial_tells_what_may_be_reused(name: str, reuses: bool) -> None:
    model = MODELS[name]()
    with torch.no_grad():
        assert judge(model)._loaded.reuses is reuses


def test_a_prompt_is_encoded_once_for_all_its_continuations() -> None:
    model = tiny.llama()
    seen: list[tuple[int, int]] = []
    asked = judge(model)
    asked.loglik([Question("it ?", continuation=" yes")])  # the trial is over
    model.model.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    asked.loglik([Question(PROMPTS[2], continuation=said) for said in SAID])
    prompt = len(tiny.tokenizer()(f"user : {PROMPTS[2]} :")["input_ids"])
    assert seen[0] == (1, prompt)
    assert all(width < prompt for _, width in seen[1:])
    # " yes" is read off the prompt itself, " no it is" begins another one
    assert sum(rows for rows, _ in seen[1:]) == 3


def test_equal_pictures_are_one_prompt_whatever_object_holds_them() -> None:
    model = tiny.qwen_vl()
    seen: list[int] = []
    asked = judge(model, tiny.QwenInputs())
    model.model.visual.register_forward_pre_hook(lambda _, args, kwargs: seen.append(1), with_kwargs=True)
    asked.loglik([Question("it ?", images=(RED.copy(),), continuation=said) for said in SAID])
    assert seen == [1]


def test_positions_behind_pictures_are_the_models_own() -> None:
    model, inputs = tiny.qwen_vl(), tiny.QwenInputs()
    asked = judge(model, inputs)
    shown = [(RED,), (RED, BLUE), (BLUE,)]
    batch = [Question("it ?", images=images, continuation=said) for images in shown for said in SAID]
    reused = asked.loglik(batch)
    assert asked._loaded.reuses
    asked._loaded.__dict__["reuses"] = False
    apart = asked.loglik(batch)
    for one, other in zip(reused, apart, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-5), one.error or other.error
    assert reused[0].value != pytest.approx(reused[10].value, abs=1e-6)
    text = asked.loglik([Question("it ?", continuation=" yes")])[0]  # what pictures left behind does not count
    asked._loaded.__dict__["reuses"] = True
    assert asked.loglik([Question("it ?", continuation=" yes")])[0].value == pytest.approx(text.value, abs=1e-5)


def test_logits_are_never_whole() -> None:
    model = tiny.llama()
    asked = judge(model)
    asked.loglik([Question("it ?", continuation=" yes")])

    def refuse(*_: Any) -> None:
        raise AssertionError("the output layer ran over a whole vocabulary")

    model.lm_head.register_forward_pre_hook(refuse)
    assert asked.loglik([Question("it ?", continuation=" yes it is")])[0].value is not None


def test_opening_is_where_the_answer_goes_on() -> None:
    model = tiny.llama()
    question = Question("it ?", continuation=" red ball", opening=" it is the")
    assert judge(model).loglik([question])[0].value == pytest.approx(plain(model, question), abs=1e-6)
    options = Question("it ?", options=("1", "2"), opening=" yes")
    shares = judge(model).choose([options])[0].value
    one, two = (plain(model, Question("it ?", continuation=f" {o}", opening=" yes"))[0] for o in "12")
    assert shares[0] / shares[1] == pytest.approx(torch.tensor(one - two).exp().item(), rel=1e-4)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_an_adapter_on_the_output_layer_is_not_forgotten() -> None:
    peft = pytest.importorskip("peft")
    torch.manual_seed(1)
    settings = peft.LoraConfig(target_modules=["lm_head", "q_proj"], r=2, init_lora_weights=False)
    base = tiny.llama()
    before = judge(base).loglik([Question("it ?", continuation=" yes")])[0].value
    model = peft.get_peft_model(base, settings)
    question = Question("it ?", continuation=" yes")
    asked = judge(model)
    assert asked.loglik([question])[0].value == pytest.approx(plain(model, question), abs=1e-5)
    assert asked.loglik([question])[0].value != pytest.approx(before, abs=1e-4)
    off = ModelJudge(model, tiny.tokenizer(), adapter=False)
    assert off.loglik([question])[0].value == pytest.approx(before, abs=1e-5)


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
@pytest.mark.parametrize("cap", [None, 2.0])
def test_chunks_change_nothing(chunk: int, cap: float | None) -> None:
    torch.manual_seed(0)
    hidden, weight, bias = torch.randn(5, 4) * 9, torch.randn(23, 4) * 9, torch.randn(23)
    targets = torch.tensor([0, 22, 7, 8, 13])
    logits = hidden @ weight.T + bias
    logits = logits if cap is None else cap * torch.tanh(logits / cap)
    expected = logits.log_softmax(-1)[torch.arange(5), targets]
    assert token_logps(hidden, weight, targets, bias, cap, chunk) == pytest.approx(expected, abs=1e-4)


def test_extreme_logits_stay_finite() -> None:
    hidden, weight = torch.tensor([[1.0]]), torch.tensor([[3e4], [-3e4], [0.0]])
    assert token_logps(hidden, weight, torch.tensor([0]), chunk=1).item() == 0.0
    assert token_logps(hidden, weight, torch.tensor([1]), chunk=1).item() == -6e4


def test_log_probabilities_run_over_the_whole_vocabulary() -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 0.0], [0.3, 0.3, 0.3]])
    found = token_logps(logits, torch.eye(3), torch.tensor([0, 1, 2]))
    assert found == pytest.approx(torch.tensor([-0.241311, -0.551445, -1.098612]), abs=1e-6)
    assert found.mean().item() == pytest.approx(-0.630456, abs=1e-6)
