"""TRL's own trainer with a server as its reward: the groups that it samples arrive whole, the numbers are the same."""

import pytest

from sightline import Batch
from sightline.serve import RemoteReward
from tests.serve.rewards import total
from tests.serve.served import serving


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
def test_grpo_steps_on_a_served_reward(tmp_path):
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    from tests.train import tiny

    seen = []

    class Recorded(RemoteReward):
        def score(self, rows, step=None):
            answer = super().score(rows, step)
            seen.append((rows, answer["scores"]))
            return answer

    with serving(tmp_path, reward="total") as server:
        args = GRPOConfig(
            output_dir=str(tmp_path / "out"),
            max_steps=2,
            num_generations=4,
            per_device_train_batch_size=8,
            **tiny.QUIET,
        )
        trainer = GRPOTrainer(
            model=tiny.model(),
            reward_funcs=Recorded(server.url, group_size=4, name="served"),
            args=args,
            train_dataset=Dataset.from_list(tiny.rows()),
            processing_class=tiny.tokenizer(),
        )
        trainer.train()
        log = next(line for line in trainer.state.log_history if "reward" in line)
        assert "rewards/served/mean" in log
    assert len(seen) == 2
    for rows, scores in seen:
        assert [row["group"] for row in rows] == [0] * 4 + [1] * 4
        assert all(row["answer"] == rows[0]["answer"] for row in rows[:4])
        assert total(Batch.from_rows(rows)).values.tolist() == pytest.approx(scores)
