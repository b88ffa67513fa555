"""The tiny model reads what its processor writes, survives saving, and trains in the ecosystem's trainers."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from sightline.lab.models import language_stage, reading, tiny_vlm, tokenizer, vision_stage  # noqa: E402
from sightline.lab.worlds import clips, demonstrations, digits, grounding  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def base():
    return tiny_vlm.load("base")


def texts():
    rng = np.random.default_rng(0)
    for row in [*digits.PLAIN.rows(60, "neutral", 3), *digits.PRIOR.rows(10, "neutral"), *clips.FOUR.rows(40)]:
        yield row["prompt"][0]["content"][-1]["text"]
        yield demonstrations.look(row)
        if row["truth"]["prior"] is not None:
            yield demonstrations.guess(row)
        if row["kind"] in ("detect", "find"):
            yield demonstrations.taught_detections(row, rng)


def test_text_survives_encode_and_decode():
    reader = tokenizer.build()
    for text in texts():
        ids = reader.encode(text)
        assert reader.unk_token_id not in ids, text
        assert reader.decode(ids) == text


def test_every_edge_is_one_token_and_no_digit_name():
    reader = tokenizer.build()
    ids = reader.encode('{"bbox_2d": [3, 12, 40, 3]}')
    assert reader.convert_ids_to_tokens(ids) == ['{"bbox_2d": [', "3,", "12,", "40,", "3,", "]}"]
    assert reader.encode("3") != reader.encode("3,")


def test_detections_decode_to_json_any_parser_reads():
    row = digits.CROWD.rows(1, "neutral", 1)[0]
    reader = tokenizer.build()
    answer = reading.answer_text(reader.decode(reader.encode(demonstrations.look(row))))
    listed = json.loads(answer.removeprefix("```json\n").removesuffix("\n```"))
    assert [(item["bbox_2d"], item["label"]) for item in listed] == list(zip(row["boxes"], row["labels"], strict=True))


def test_special_tokens_are_dropped_and_tags_are_kept():
    reader = tokenizer.build()
    ids = reader.encode("<think>red 3</think> <answer>3</answer><eos><pad>")
    assert reader.decode(ids, skip_special_tokens=True) == "<think>red 3</think> <answer>3</answer>"


def test_template_takes_strings_and_parts():
    pupil = tiny_vlm.processor()
    parts = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "list all objects"}]}]
    assert pupil.apply_chat_template(parts, add_generation_prompt=True) == "<user><image>list all objects<assistant>"
    plain = [{"role": "user", "content": "list all objects"}, {"role": "assistant", "content": "None"}]
    assert pupil.apply_chat_template(plain) == "<user>list all objects<assistant>None<eos>"


def test_lessons_see_what_the_processor_sees(base):
    """Training reads cached features and own token ids; they must be those of the real forward pass."""
    model, pupil = base
    for row in (digits.PLAIN.rows(1, "neutral", 2)[0], clips.FOUR.rows(1, "neutral", 2)[0]):
        text = pupil.apply_chat_template(row["prompt"], add_generation_prompt=True)
        inputs = pupil(text=[text], images=[row["images"]], return_tensors="pt")
        example = language_stage.Example(row["images"], row["prompt"][0]["content"], demonstrations.look(row))
        lessons = language_stage.Lessons([example], model.model.vision_tower)
        assert lessons.prompts[0] == inputs["input_ids"][0].tolist()
        with torch.no_grad():
            ids, targets, features = lessons.batch([0])
            ours = language_stage.logits_of(model, ids, features, targets != language_stage.IGNORED)
            theirs = model(**inputs).logits[0, -1]
        assert torch.allclose(ours[0], theirs, atol=1e-3)


def test_left_padding_changes_nothing(base):
    model, pupil = base
    rows = digits.PLAIN.rows(6, "neutral", 11)
    together = reading.complete(model, pupil, rows)
    assert together == [reading.complete(model, pupil, [row])[0] for row in rows]


def test_shipped_models_load_and_their_cards_say_how(base):
    assert "base" in tiny_vlm.shipped()
    assert sum(path.stat().st_size for path in tiny_vlm.WEIGHTS.iterdir()) < 10_000_000
    for name in tiny_vlm.shipped():
        card = tiny_vlm.card(name)
        assert {"command", "seed", "settings", "held_out"} <= set(card)
    assert sum(p.numel() for p in base[0].parameters()) < 3_000_000


def test_base_reads_held_out_digits(base):
    rows = digits.PLAIN.rows(160, "neutral", 77)
    figures = reading.measure(rows, reading.complete(*base, rows))
    assert np.mean([figures[kind]["right"] for kind in figures]) > 0.7
    assert figures["identify"]["grounded"] > 0.6


def test_saved_folder_loads_through_the_auto_classes(base, tmp_path):
    model, _ = base
    again, pupil = tiny_vlm.load(tiny_vlm.save(model, tmp_path / "model"))
    rows = digits.PLAIN.rows(3, "neutral", 5)
    assert reading.complete(again, pupil, rows) == reading.complete(model, tiny_vlm.processor(), rows)


def test_unknown_name_lists_the_shipped_ones():
    with pytest.raises(FileNotFoundError, match="base"):
        tiny_vlm.load("huge")


def test_build_depends_on_the_seed_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    a, b, c = (tiny_vlm.build(seed).lm_head.weight for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(before, torch.random.get_rng_state())


def test_ship_keeps_only_what_a_cold_start_changed(tmp_path):
    model = tiny_vlm.build(3)
    tiny_vlm.ship(model, "base", tmp_path, {})
    tiny_vlm.rounded(model)
    with torch.no_grad():
        model.model.language_model.norm.weight += 1
    changed = tiny_vlm.ship(model, "more", tmp_path, {"starts_from": "base"})
    assert changed.stat().st_size < 2000
    loaded = tiny_vlm.from_shipped("more", tmp_path)
    assert all(
        torch.equal(a, b) for a, b in zip(loaded.parameters(), tiny_vlm.rounded(model).parameters(), strict=True)
    )


def test_soft_targets_are_distributions_over_neighbouring_edges():
    table, names = language_stage.soft_targets(1.0), tokenizer.vocabulary()
    assert torch.allclose(table.sum(-1), torch.ones(len(names)))
    edge = table[names.index("20,")]
    assert edge[names.index("20,")] > edge[names.index("21,")] > edge[names.index("23,")] > 0
    assert table[names.index("red"), names.index("red")] == 1


def test_both_stages_lower_their_loss():
    model = tiny_vlm.build(0)
    readers = vision_stage.heads(model.config.vision_config.hidden_size)
    losses = [loss for _, loss in vision_stage.teach(model.model.vision_tower, readers, steps=30, size=8)]
    assert losses[-1] < 7
    rows = digits.PLAIN.rows(32, seed=1)
    examples = [language_stage.Example(r["images"], r["prompt"][0]["content"], demonstrations.look(r)) for r in rows]
    lessons = language_stage.Lessons(examples, model.model.vision_tower)
    course = language_stage.teach(model, lessons, language_stage.Recipe(steps=25, size=6))
    assert [loss for _, loss in course][-1] < 4.5


def test_answer_readers():
    row = digits.SEARCH.rows(1, "neutral", 4)[0]
    assert reading.right(row, f"<answer>{row['answer']}</answer>") == 1
    assert reading.right(row, "<answer>[]</answer>") == 0
    assert not grounding.has_form("<answer>[1, 2, 3, 4]</answer>")


@pytest.mark.filterwarnings("ignore")
def test_two_steps_of_group_relative_training(base, tmp_path):
    datasets, trl = pytest.importorskip("datasets"), pytest.importorskip("trl")
    model = tiny_vlm.freeze_vision(tiny_vlm.load("base")[0])
    rows = digits.PRIOR.rows(4, seed=5)
    table = datasets.Dataset.from_list([{key: row[key] for key in ("prompt", "images", "answer")} for row in rows])
    options = trl.GRPOConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=16,
        num_generations=4,
        max_completion_length=16,
        max_steps=2,
        learning_rate=1e-3,
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
    )
    seen = []

    def arbitrary(completions, answer, **columns):
        texts = [completion[0]["content"] for completion in completions]
        seen.extend(texts)
        return [float(sum(map(ord, text)) % 7) for text in texts]

    before = model.model.language_model.norm.weight.clone()
    trainer = trl.GRPOTrainer(
        model=model, processing_class=tiny_vlm.processor(), reward_funcs=arbitrary, args=options, train_dataset=table
    )
    trainer.train()
    assert len(seen) == 32
    assert sum("<think>" in text for text in seen) > 24
    assert not torch.equal(before, model.model.language_model.norm.weight)
