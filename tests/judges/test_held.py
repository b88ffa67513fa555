"""A model object as a judge: the policy itself, and a copy that stays as it is."""

from __future__ import annotations

import pickle

import pytest

from sightline.core.batch import Batch
from sightline.core.errors import CompositionError
from sightline.judges import LexicalJudge, OwnPolicy, Question, Sampling, ask
from sightline.parse.tags import Block
from sightline.rewards import with_judge
from sightline.rewards.look import Column, Look, NoPictures
from sightline.rewards.second_look import Echo

LOOK = Look("it ?", (("said", Block("think")),), NoPictures(), continuation=Column("answer"))


def test_a_placeholder_says_what_to_put_in_its_place() -> None:
    scores = Echo(OwnPolicy(), LOOK)(Batch(["<think>a</think>"], {"answer": ["yes"]}))
    assert scores.errors.all()
    assert "with_judge(reward, ModelJudge(...), OwnPolicy())" in scores.why[0]
    assert OwnPolicy() != OwnPolicy("start")
    assert pickle.loads(pickle.dumps(OwnPolicy("start"))) == OwnPolicy("start")


def test_each_placeholder_is_bound_by_itself() -> None:
    both = Echo(OwnPolicy(), LOOK).named("now") - Echo(OwnPolicy("start"), LOOK).named("start")
    bound = with_judge(both, LexicalJudge(), instead_of=OwnPolicy())
    scores = bound(Batch(["<think>a</think>"], {"answer": ["yes"]}))
    assert not scores.parts["now"].errors.any()
    assert scores.parts["start"].errors.all()


class TestWithModels:
    @pytest.fixture(autouse=True)
    def _models(self) -> None:
        pytest.importorskip("torch", reason="judges in process need the extra `train`").set_num_threads(1)

    def test_the_policy_is_asked_as_it_is_now_and_its_copy_as_it_was(self) -> None:
        import tiny_models as tiny
        import torch

        from sightline.judges import ModelJudge, frozen_copy

        model, words = tiny.llama(), tiny.tokenizer()
        now, start = ModelJudge(model, words), frozen_copy(model, words)
        question = Question("it ?", continuation=" yes it is")
        before = now.loglik([question])[0].value
        assert start.loglik([question])[0].value == before
        with torch.no_grad():
            model.lm_head.weight.mul_(2.0)
        assert now.loglik([question])[0].value != before
        assert start.loglik([question])[0].value == before
        assert now.id != start.id

    def test_training_goes_on_as_it_was(self) -> None:
        import tiny_models as tiny
        import torch

        from sightline.judges import ModelJudge

        model, words = tiny.llama(), tiny.tokenizer()
        model.config.attention_dropout = 0.5
        for layer in model.model.layers:
            layer.self_attn.attention_dropout = 0.5
        words.padding_side = "left"
        judge = ModelJudge(model.train(), words)
        batch = [Question("it ?", continuation=" yes it is", options=("yes", "no"), sampling=Sampling(max_tokens=4))]
        said = [getattr(judge, name)(batch)[0] for name in ("generate", "choose", "loglik", "embed") for _ in range(2)]
        assert [one.error for one in said] == [""] * 8
        assert [one.value for one in said[::2]] == [one.value for one in said[1::2]]  # no dropout
        assert model.training
        assert words.padding_side == "left"
        assert all(parameter.grad is None for parameter in model.parameters())
        loss = model(input_ids=torch.tensor([[1, 2, 3]]), labels=torch.tensor([[1, 2, 3]])).loss
        loss.backward()  # nothing that was kept stands in the way
        assert model.lm_head.weight.grad is not None

    @pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
    def test_with_and_without_the_adapter_from_several_threads(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        peft = pytest.importorskip("peft")
        import tiny_models as tiny

        from sightline.judges import ModelJudge, frozen_copy

        settings = peft.LoraConfig(target_modules=["q_proj", "v_proj"], r=2, init_lora_weights=False)
        model = peft.get_peft_model(tiny.llama(), settings)
        now, start = ModelJudge(model, tiny.tokenizer()), frozen_copy(model, tiny.tokenizer())
        assert start.model is model
        batch = [Question(f"it {word} ?", continuation=" yes it is") for word in ("red", "blue", "cat", "dog")]
        expected = {now: now.loglik(batch), start: start.loglik(batch)}
        assert expected[now][0].value != expected[start][0].value
        with ThreadPoolExecutor(4) as threads:
            asked = [now, start] * 10
            for judge, said in zip(asked, threads.map(lambda one: one.loglik(batch), asked), strict=True):
                assert said == expected[judge]

    def test_a_judge_that_was_asked_still_pickles(self) -> None:
        import tiny_models as tiny

        from sightline.judges import ModelJudge

        judge = ModelJudge(tiny.llama(), tiny.tokenizer())
        question = Question("it ?", continuation=" yes")
        said = judge.loglik([question])
        assert pickle.loads(pickle.dumps(judge)).loglik([question]) == said
        assert judge == ModelJudge(judge.model, judge.processor)
        assert hash(judge) == hash(ModelJudge(judge.model, judge.processor))
        assert judge != ModelJudge(judge.model, judge.processor, "other")

    def test_the_labs_policy_judges_pictures(self) -> None:
        from sightline.judges import ModelJudge
        from sightline.lab.models import tiny_vlm
        from sightline.lab.worlds import digits

        judge = ModelJudge(*tiny_vlm.load("base"), "base")
        row = digits.PRIOR.rows(1, "biased", seed=0)[0]
        text = row["prompt"][0]["content"][-1]["text"]
        right, other = Question(text, images=tuple(row["images"]), options=tuple("0123456789")), Question(text)
        shares = ask(judge, "choose", [right])[0]
        assert shares.error == ""
        assert sum(shares.value) == pytest.approx(1.0)
        assert ask(judge, "generate", [other])[0].error == ""


def test_a_judge_without_the_ability_is_the_callers_mistake() -> None:
    with pytest.raises(CompositionError, match="cannot `embed`"):
        ask(LexicalJudge(), "embed", [Question("a")])
