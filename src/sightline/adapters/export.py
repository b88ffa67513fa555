"""The Python file and the configuration that make a trainer use a system's reward. Writes text; imports no trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from sightline.adapters.outcomes import compares, one_at_a_time
from sightline.adapters.verifiers import REMEDY
from sightline.core.errors import ConfigError, did_you_mean
from sightline.rewards.reward import Reward

FILE = "sightline_reward.py"
HEAD = '''"""The reward of `$slug` ($variant) for $target. Written by `sightline export $target --system $slug`."""

from sightline.adapters import $module
from sightline.system import load

REWARD = load("$slug").variant("$variant"$changes)
'''
JUDGED = """
from sightline.cli.names import judge_named
from sightline.rewards.reward import with_judge

REWARD = with_judge(REWARD, judge_named($judge))
"""


@dataclass(frozen=True)
class Target:
    """How one trainer is told about a reward.

    Args:
        module: of `sightline.adapters`.
        body: what follows `REWARD` in the file.
        config: name of the configuration.
        settings: its text.
        single: it asks about one rollout at a time.
    """

    module: str
    body: str
    config: str
    settings: str
    single: bool = False


TARGETS: Mapping[str, Target] = {
    "trl": Target(
        "trl",
        'reward = trl.RewardFunction(REWARD, "$name", group_size=$size)\n',
        "trl.yaml",
        "# trl grpo --config trl.yaml, in the folder of $file; the data carry the columns and `images`\n"
        "reward_funcs: [$stem.reward]\nnum_generations: $n\nlog_completions: true\n",
    ),
    "verl": Target(
        "verl",
        "SightlineRewardManager = verl.reward_manager(REWARD)\n$function",
        "verl.sh",
        "# overrides for: python -m verl.trainer.main_ppo ...; group rewards need one reward worker\n"
        'OVERRIDES="actor_rollout_ref.rollout.n=$n reward.reward_manager.source=importlib '
        'reward.reward_manager.name=SightlineRewardManager reward.reward_manager.module.path=$path$whole"\n',
    ),
    "easyr1": Target(
        "easyr1",
        'REWARD_NAME = "$name"\nREWARD_TYPE = "batch"\nmain = easyr1.RewardFunction(REWARD, group_size=$size)\n',
        "easyr1.yaml",
        "worker:\n  rollout:\n    n: $n\n  reward:\n    reward_function: $path:main\n"
        "data:\n  prompt_key: problem\n  answer_key: answer\n  image_key: images\n",
    ),
    "swift": Target(
        "swift",
        'swift.plugin(REWARD, "$name", group_size=$size, asynchronous=$judged)\n',
        "swift.sh",
        "# options for: swift rlhf --rlhf_type grpo ...\n"
        'OPTIONS="--external_plugins $path --reward_funcs $name --num_generations $n --log_completions true"\n',
    ),
    "openrlhf": Target(
        "openrlhf",
        "reward_func = openrlhf.RewardFunction(REWARD)\n",
        "openrlhf.sh",
        "# options for OpenRLHF; the label carries the columns of the reward\n"
        'OPTIONS="--reward.remote_url $path --data.input_key input --data.label_key label"\n',
        single=True,
    ),
    "nemo-rl": Target(
        "nemo_rl",
        "import ray\n\n"
        "SightlineEnvironment = ray.remote(max_restarts=-1, max_task_retries=-1)"
        "(nemo_rl.environment(REWARD, group_size=$size))\n",
        "nemo_rl.yaml",
        "# register once: nemo_rl.environments.utils.register_env('sightline', '$stem.SightlineEnvironment');\n"
        "# a data processor hands the field extra_env_info of a row through; rollouts are synchronous\n"
        "env:\n  sightline: {}\ngrpo:\n  num_generations_per_prompt: $n\n  async_grpo: {enabled: false}\n",
    ),
    "verifiers": Target(
        "verifiers",
        "import json\nfrom pathlib import Path\n\nimport verifiers.v1 as vf\n\n"
        'SightlineTask = verifiers.task(REWARD, "$name")\n\n\n'
        "class SightlineTaskset(vf.Taskset[SightlineTask, vf.TasksetConfig]):\n"
        "    def load(self):\n"
        '        with Path(__file__).with_name("data.jsonl").open() as rows:\n'
        "            for row in rows:\n"
        "                yield SightlineTask(SightlineTask.row(**json.loads(row)), self.config.task)\n",
        "verifiers.toml",
        '# the module of the taskset; data.jsonl stands beside it\n[taskset]\nid = "$stem"\n',
        single=True,
    ),
}


@dataclass(frozen=True)
class Wanted:
    """What is exported.

    Args:
        slug, variant, plus, minus: a system and its reward, as `System.variant` takes them.
        judge: arguments of `judge_named`, name, cache and key; empty: the judge of the system.
        group_size: rollouts of a prompt.
    """

    slug: str
    variant: str = "strict"
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    judge: tuple[str, ...] = field(default=())
    group_size: int = 8


def export(target: str, wanted: Wanted, reward: Reward, folder: Path) -> list[Path]:
    """Write the file and the configuration.

    Args:
        target: a key of `TARGETS`.
        reward: what the file will load, to see what it needs.

    Raises:
        ConfigError: there is no such target.
        CompositionError: the reward compares rollouts and the trainer never brings them together.
    """
    if target not in TARGETS:
        raise ConfigError(f"unknown target `{target}`; there are {list(TARGETS)}.{did_you_mean(target, TARGETS)}")
    found = TARGETS[target]
    if found.single:
        one_at_a_time(reward, target, REMEDY)
    folder.mkdir(parents=True, exist_ok=True)
    places = _places(target, found, wanted, reward, folder)
    text = HEAD + (JUDGED if wanted.judge else "") + "\n" + found.body
    written = [folder / FILE, folder / found.config]
    for path, template in zip(written, (text, found.settings), strict=True):
        path.write_text(Template(template).substitute(places), "utf-8")
    return written


def _places(target: str, found: Target, wanted: Wanted, reward: Reward, folder: Path) -> dict[str, str]:
    together = compares(reward)
    n, name = str(wanted.group_size), "".join(c if c.isalnum() else "_" for c in wanted.slug)
    whole = f" reward.num_workers=1 actor_rollout_ref.rollout.val_kwargs.n={n}" if together else ""
    return {
        "slug": wanted.slug,
        "variant": wanted.variant,
        "changes": f", {wanted.plus!r}, {wanted.minus!r}" if wanted.plus or wanted.minus else "",
        "target": target,
        "module": found.module,
        "judge": ", ".join(map(repr, wanted.judge)),
        "judged": str(bool(wanted.judge)),
        "name": name,
        "n": n,
        "size": n if together else "0",
        "whole": whole,
        "function": "" if together else "compute_score = verl.RewardFunction(REWARD)\n",
        "file": FILE,
        "stem": Path(FILE).stem,
        "path": str((folder / FILE).absolute()),
    }
