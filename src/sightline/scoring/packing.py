"""Values on their way to a process that Ray started: with the places where their modules are found.

Such a process inherits neither the folder nor the module path of the one that sends, as a child would.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

from sightline.core.errors import ConfigError
from sightline.core.version import __version__


def packed(value: Any) -> bytes:
    """A value with the current folder and module path; members that a script defines travel whole."""
    from ray import cloudpickle

    places = os.getcwd(), [place for place in sys.path if place]
    data: bytes = cloudpickle.dumps((__version__, *places, cloudpickle.dumps(value)))
    return data


def unpacked(data: bytes) -> Any:
    """What was packed, in the same folder where there is one, and with the same module path behind our own.

    Raises:
        ConfigError: another version of sightline packed it, whose numbers may differ.
    """
    from ray import cloudpickle

    version, folder, path, value = cloudpickle.loads(data)
    if version != __version__:
        raise ConfigError(
            f"the command is sightline {version}, but its workers on {platform.node()} have {__version__}"
        )
    if os.path.isdir(folder):
        os.chdir(folder)
    sys.path += [place for place in path if place not in sys.path]
    return cloudpickle.loads(value)
