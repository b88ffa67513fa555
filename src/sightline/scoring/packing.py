"""Values on their way to a process that Ray started: with the places where their modules are found.

Such a process inherits neither the folder nor the module path of the one that sends, as a child would.
"""

from __future__ import annotations

import os
import sys
from typing import Any


def packed(value: Any) -> bytes:
    """A value with the current folder and module path; members that a script defines travel whole."""
    from ray import cloudpickle

    data: bytes = cloudpickle.dumps((os.getcwd(), [place for place in sys.path if place], cloudpickle.dumps(value)))
    return data


def unpacked(data: bytes) -> Any:
    """What was packed, in the same folder where there is one, and with the same module path behind our own."""
    from ray import cloudpickle

    folder, path, value = cloudpickle.loads(data)
    if os.path.isdir(folder):
        os.chdir(folder)
    sys.path += [place for place in path if place not in sys.path]
    return cloudpickle.loads(value)
