"""Every error that a caller of sightline can meet, on one screen.

    SightlineError
    ├── ColumnError        (KeyError)      a rollout column is missing or holds the wrong thing
    ├── ShapeError         (ValueError)    an array or a box list has the wrong shape
    ├── FrameError         (ValueError)    boxes of two coordinate frames that cannot be compared
    ├── CompositionError   (TypeError)     a reward expression that cannot be built
    ├── ConfigError        (ValueError)    an option or a configuration file is wrong
    ├── UnknownSystem      (LookupError)   no system has this slug
    ├── RolloutFileError   (ValueError)    a rollout file cannot be read
    ├── MediaError         (OSError)       an image or a video cannot be read
    ├── JudgeError         (RuntimeError)  a judge call failed: becomes NaN with this text, never reaches the trainer
    ├── ServerError        (RuntimeError)  a reward server refused a request, or could not be reached in time
    └── MissingExtra       (ImportError)   a feature needs an optional install

Policy text never raises any of these: a bad rollout is a low number with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SightlineError(Exception):
    """Base of all errors that sightline raises on purpose."""

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0]) if self.args else ""


class ColumnError(SightlineError, KeyError):
    """A column that a reward declares is missing, or holds a value it cannot use."""


class ShapeError(SightlineError, ValueError):
    """An array has the wrong shape; the message says which, what it got and what it needs."""


class FrameError(SightlineError, ValueError):
    """Boxes are in frames that cannot be converted into each other."""


class CompositionError(SightlineError, TypeError):
    """A reward expression was built from parts that do not fit."""


class ConfigError(SightlineError, ValueError):
    """An option, a recipe key or a configuration file is wrong."""


class UnknownSystem(SightlineError, LookupError):  # noqa: N818 - named for what is unknown
    """No system has the slug that was asked for."""


class RolloutFileError(SightlineError, ValueError):
    """A rollout file is truncated, of an unknown dialect, or not what its name says."""


class MediaError(SightlineError, OSError):
    """An image, page or video cannot be found or decoded."""


class JudgeError(SightlineError, RuntimeError):
    """A judge could not answer; rewards turn it into NaN and keep the provider's words."""


class ServerError(SightlineError, RuntimeError):
    """A reward server refused a request, or could not be reached in time; the message has the server's own words."""


class MissingExtra(SightlineError, ImportError):  # noqa: N818 - named for what is missing
    """An optional dependency is not installed."""

    @classmethod
    def of(cls, what: str, extra: str) -> MissingExtra:
        return cls(f"{what} needs the extra `{extra}`: pip install 'sightline[{extra}]'")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`" Did you mean `x`?"` for the closest known name, or an empty string."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean `{close[0]}`?" if close else ""
