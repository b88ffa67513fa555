"""A reward behind HTTP, called as any program would, and from TRL.

sightline serve --system visual-rft --set task=detection --port 8000
python examples/served.py http://127.0.0.1:8000
"""

from __future__ import annotations

import io
import sys
import urllib.request
from typing import Any

import msgpack
from PIL import Image

from sightline.serve import RemoteReward

BOX = '[{"Position": [0, 0, 10, 10], "Confidence": 1}]'
SAID = f"<think>a cat, top left</think><answer>{BOX}</answer>"


# --8<-- [start:msgpack]
def ask(url: str) -> dict[str, Any]:
    """Two rollouts that show the same picture, which travels once."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "PNG")
    row = {"solution": f"<answer>{BOX}</answer>", "images": [{"media": "cat"}]}
    rows = [{**row, "completion": SAID}, {**row, "completion": "nothing"}]
    body = msgpack.packb({"rows": rows, "media": {"cat": file.getvalue()}})
    request = urllib.request.Request(f"{url}/score", body, {"Content-Type": "application/msgpack"})
    with urllib.request.urlopen(request) as reply:
        answer: dict[str, Any] = msgpack.unpackb(reply.read())
    return answer


# --8<-- [end:msgpack]


# --8<-- [start:trl]
def reward_for_trl(url: str, generations: int) -> RemoteReward:
    """An entry of `reward_funcs`; `group_size` is the trainer's `num_generations`."""
    return RemoteReward(url, group_size=generations, name="detection")


# --8<-- [end:trl]

if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    print(ask(url)["scores"])
    print(reward_for_trl(url, 2)([SAID, "nothing"], solution=[f"<answer>{BOX}</answer>"] * 2))
