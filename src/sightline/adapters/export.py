"""The Python file and the configuration that make a trainer use a system's reward. Writes text; imports no trainer."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from sightline.adapters.outcomes import compares, one_at_a_time, one_prompt
from sightline.adapters.verifiers import REMEDY
from sightline.adapters.verl import SIZE, WORKERS, workers_for
from sightline.adapters.verl_words import PROMPTS, WORKERS_ALONE, managed, script, validated
from sightline.core.errors import ConfigError, did_you_mean
from sightline.rewards.reward import Reward

FILE = "sightline_reward.py"
HEAD = '''"""The reward of `$slug` ($variant) for $target. Written by sightline."""

from sightline.adapters import $module
from sightline.system import load

REWARD = load("$slug").variant("$variant"$changes)
'''
OWN = '''"""The reward `$own` for $target. Written by sightline."""

import sys

from sightline.adapters import $module

sys.path.insert(0, $here)
from $own_module import $own_name as REWARD  # noqa: E402
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
        given: what is added where data are written too.
        single: it asks about one rollout at a time.
        steps: it says which training step it is.
    """

    module: str
    body: str
    config: str
    settings: str
    given: str = ""
    single: bool = False
    steps: bool = False


TARGETS: Mapping[str, Target] = {
    "trl": Target(
        "trl",
        'reward = trl.RewardFunction(REWARD, "$name", group_size=$size)\n',
        "trl.yaml",
        "# trl grpo --config trl.yaml, in the folder of $file; the data carry the columns and `images`\n"
        "reward_funcs: [$stem.reward]\nnum_generations: $n\nlog_completions: true\n",
        'datasets:\n  - path: parquet\n    data_files: "$data"\n',
        steps=True,
    ),
    "verl": Target(
        "verl",
        "SightlineRewardManager = verl.reward_manager(REWARD)\n$function",
        "verl.sh",
        "$script",
        steps=True,
    ),
    "easyr1": Target(
        "easyr1",
        'REWARD_NAME = "$name"\nREWARD_TYPE = "batch"\nmain = easyr1.RewardFunction(REWARD, group_size=$size)\n',
        "easyr1.yaml",
        "# python -m verl.trainer.main config=easyr1.yaml ..., beside the settings of your own\n"
        'worker:\n  rollout:\n    n: $n\n$validation  reward:\n    reward_function: "$path:main"\n'
        "data:\n  prompt_key: problem\n  answer_key: answer\n  image_key: images\n",
        '  train_files: "$data"\n',
    ),
    "swift": Target(
        "swift",
        'swift.plugin(REWARD, "$name", group_size=$size, asynchronous=$judged)\n',
        "swift.sh",
        "# a bash array of options for: swift rlhf --rlhf_type grpo ...\n"
        "OPTIONS=(--external_plugins $quoted --reward_funcs $name --num_generations $n --log_completions true)\n",
        "OPTIONS+=(--dataset $quoted_data)\n",
        steps=True,
    ),
    "openrlhf": Target(
        "openrlhf",
        "reward_func = openrlhf.RewardFunction(REWARD)\n",
        "openrlhf.sh",
        "# a bash array of options for: python -m openrlhf.cli.train_ppo_ray ...\n"
        "# the label carries the columns of the reward; pictures need --data.max_images_per_prompt\n"
        "OPTIONS=(--reward.remote_url $quoted --rollout.n_samples_per_prompt $n --data.input_key input "
        "--data.label_key label --data.image_key images --data.apply_chat_template)\n",
        "OPTIONS+=(--data.prompt_dataset $quoted_data --data.max_images_per_prompt $pictures)\n",
        single=True,
    ),
    "nemo-rl": Target(
        "nemo_rl",
        "import ray\n\n"
        "SightlineEnvironment = ray.remote(max_restarts=-1, max_task_retries=-1)"
        "(nemo_rl.environment(REWARD, group_size=$size))\n\n\n"
        "def register():\n"
        '    nemo_rl.register("$stem.SightlineEnvironment")\n',
        "nemo_rl.yaml",
        "# the folder of $file stands in PYTHONPATH; the script that starts the training says first:\n"
        "#     import $stem; $stem.register()\n"
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
        own: a reward of your own instead, as package.module:NAME.
        data: the file of data that is written too; empty: none.
        pictures: most pictures of one of its rows.
    """

    slug: str
    variant: str = "strict"
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    judge: tuple[str, ...] = field(default=())
    group_size: int = 8
    own: str = ""
    data: str = ""
    pictures: int = 0


def suited(target: str, reward: Reward) -> Target:
    """The target, if it can ask about this reward.

    Raises:
        ConfigError: there is no such target.
        CompositionError: the reward compares rollouts that the trainer never brings together.
    """
    if target not in TARGETS:
        raise ConfigError(f"unknown target `{target}`; there are {list(TARGETS)}.{did_you_mean(target, TARGETS)}")
    if TARGETS[target].single:
        one_at_a_time(reward, target, REMEDY)
    one_prompt(reward, target)
    return TARGETS[target]


def caveats(target: str, reward: Reward) -> list[str]:
    """What of this reward a trainer does not do by itself, a sentence each."""
    nodes = list(reward.walk())
    scheduled = sorted({type(node).__name__ for node in nodes if node.scheduled})
    filled = sorted({fill.column for node in nodes for fill in getattr(node, "fills", ())})
    found = []
    if scheduled and not TARGETS[target].steps:
        found.append(
            f"{target} does not say which step it is: {', '.join(scheduled)} stands at the end of its schedule"
        )
    if filled:
        found.append(f"the policy fills {', '.join(filled)} under `sightline train` only; here the data must bring it")
    return found


def reward_lines(target: str, modules: str, wanted: Wanted) -> str:
    """The lines of a file that make `REWARD`, asking the wanted judge.

    Args:
        modules: of `sightline.adapters`, as an import names them.
    """
    template = (OWN if wanted.own else HEAD) + (JUDGED if wanted.judge else "")
    return Template(template).substitute(_of_reward(target, modules, wanted))


def export(target: str, wanted: Wanted, reward: Reward, folder: Path) -> list[Path]:
    """Write the file and the configuration.

    Args:
        target: a key of `TARGETS`.
        reward: what the file will load, to see what it needs.

    Raises:
        ConfigError: there is no such target.
        CompositionError: the reward compares rollouts and the trainer never brings them together.
    """
    found = suited(target, reward)
    folder.mkdir(parents=True, exist_ok=True)
    places = _places(target, found, wanted, reward, folder)
    settings = found.settings + (found.given if wanted.data else "")
    body, settings = (Template(text).substitute(places) for text in (found.body, settings))
    written = [folder / FILE, folder / found.config]
    written[0].write_text(f"{reward_lines(target, found.module, wanted)}\n{body}", "utf-8")
    written[1].write_text(settings, "utf-8")
    return written


def _of_reward(target: str, modules: str, wanted: Wanted) -> dict[str, str]:
    module, _, name = wanted.own.partition(":")
    return {
        "slug": wanted.slug,
        "variant": wanted.variant,
        "changes": f", {wanted.plus!r}, {wanted.minus!r}" if wanted.plus or wanted.minus else "",
        "target": target,
        "module": modules,
        "judge": ", ".join(map(repr, wanted.judge)),
        "own": wanted.own,
        "own_module": module,
        "own_name": name,
        "here": repr(str(Path.cwd())),
    }


def _verl_script(wanted: Wanted, reward: Reward, file: Path) -> str:
    samples: dict[str, Any] = {SIZE: wanted.group_size}
    if compares(reward):
        samples[WORKERS] = max(WORKERS_ALONE, workers_for(PROMPTS * wanted.group_size))
    data = {"data.train_files": wanted.data} if wanted.data else {}
    return script({**samples, **validated(reward, samples), **managed(file), **data})


def _places(target: str, found: Target, wanted: Wanted, reward: Reward, folder: Path) -> dict[str, str]:
    together = compares(reward)
    n, name = str(wanted.group_size), "".join(c if c.isalnum() else "_" for c in wanted.slug)
    return {
        "judged": str(bool(wanted.judge)),
        "name": name,
        "n": n,
        "size": n if together else "0",
        "script": _verl_script(wanted, reward, folder / FILE),
        "function": "" if together else "compute_score = verl.RewardFunction(REWARD)\n",
        "file": FILE,
        "stem": Path(FILE).stem,
        "path": str((folder / FILE).absolute()),
        "quoted": shlex.quote(str((folder / FILE).absolute())),
        "data": wanted.data,
        "quoted_data": shlex.quote(wanted.data),
        "pictures": str(wanted.pictures),
        "validation": f"    val_override_config: {{n: {n}}}\n" if together else "",
    }
