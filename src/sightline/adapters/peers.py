"""Modules of trainers, imported when they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from sightline.core.errors import MissingExtra


def needed(module: str, package: str) -> ModuleType:
    """A module of a trainer.

    Raises:
        MissingExtra: the trainer is not installed, or lacks one of its own dependencies.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(f"this runs inside {package}, and `import {module}` failed: {error}") from error
