"""Which checkpoint a killed run goes on from, and what the credit rule remembered there."""

from __future__ import annotations

import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

from sightline.core.errors import ConfigError

CREDIT_STATE = "credit_state.pkl"
TRAINER_STATE = "trainer_state.json"
NAME = re.compile(r"checkpoint-(\d+)")


def last_whole(folder: str | os.PathLike[str]) -> Path | None:
    """The newest checkpoint that was written to its end; None if there is none.

    The trainer writes `trainer_state.json` last: a checkpoint in which it is missing or broken was cut short by
    whatever killed the run, and an older one is taken.
    """
    found = [(int(m.group(1)), path) for path in Path(folder).glob("checkpoint-*") if (m := NAME.fullmatch(path.name))]
    return next((path for _, path in sorted(found, reverse=True) if _is_whole(path)), None)


def save_credit_state(folder: str, state: Any) -> None:
    """Write what a credit rule remembers into a checkpoint."""
    os.makedirs(folder, exist_ok=True)
    write_whole(Path(folder) / CREDIT_STATE, pickle.dumps(state))


def load_credit_state(folder: str) -> Any:
    """What a credit rule remembered at a checkpoint; None for a checkpoint of another trainer.

    The file is a pickle: resume only from checkpoints you trust, as for the optimizer's state.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = Path(folder) / CREDIT_STATE
    if not path.exists():
        return None
    try:
        return pickle.loads(path.read_bytes())
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): resume with the code that wrote it") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old or the new one, never half of it."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    os.replace(draft, path)


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / TRAINER_STATE).read_text())
    except (OSError, ValueError):
        return False
    return True
