"""Post-training on rewards: TRL's trainers with our rewards and credit, recipes under plain names, runs that resume.

    from sightline.train import grpo
    trainer = grpo(model, processor, reward, credit, rows, output_dir="out", num_generations=8)

`train(config, reward, credit, stages)` runs the stages of a recipe from a configuration. Nothing heavy is imported
until something is trained.
"""

from sightline.train.config import TrainConfig, json_schema, load_config
from sightline.train.recipe import describe
from sightline.train.run import Run, train
from sightline.train.stages import grpo, sft

__all__ = ["Run", "TrainConfig", "describe", "grpo", "json_schema", "load_config", "sft", "train"]
