"""A file of a million rollouts through `sightline score`, on two cores: rollouts per second, CPU seconds, peak memory.

    python benchmarks/million.py [--rows 1000000] [--system visual-rft] [--workers 2] [--engine ray] [--format jsonl]
        [--lean]

Each rollout is a reasoning and a JSON list of 1 to 3 boxes, each row has 1 to 3 gold boxes, groups of 8 share them. The
file is generated as a stream in a temporary folder, which is removed. Aim on two cores: below 30 s for the million, and
a peak that is that of a hundred thousand rows. Of Ray, processes that it starts and does not wait for are missing in
the CPU seconds: `scale.py` has them. CPU seconds and peak are those of all processes together: where others
use the machine too, they say more than the wall clock.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

GROUP = 8
THINK = "<think>I look for the {} from left to right and compare each with the question.</think>"
NAMES = ("cat", "dog", "bird", "cup", "car")
SYSTEMS = {"visual-rft": "IoU + confidence", "vlm-r1": "odLength", "vision-r1": "recall + precision"}


def boxes(rng: random.Random, count: int) -> list[list[int]]:
    corners = [(rng.randrange(800), rng.randrange(800)) for _ in range(count)]
    return [[x, y, x + rng.randrange(20, 200), y + rng.randrange(20, 200)] for x, y in corners]


def moved(rng: random.Random, box: list[int]) -> list[int]:
    x, y = rng.randrange(-12, 13), rng.randrange(-12, 13)
    return [max(0, box[0] + x), max(0, box[1] + y), max(1, box[2] + x), max(1, box[3] + y)]


def rows(count: int, system: str, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Groups of rollouts: near boxes, some missed, some made up."""
    rng = random.Random(seed)
    for number in range(count):
        if number % GROUP == 0:
            right = boxes(rng, rng.randint(1, 3))
            names = [rng.choice(NAMES) for _ in right]
        said = [(moved(rng, box), name) for box, name in zip(right, names, strict=True) if rng.random() < 0.8]
        said = said or [(box, rng.choice(NAMES)) for box in boxes(rng, rng.randint(1, 3))]
        yield {"group": number // GROUP, **row(system, right, names, said, rng)}


def row(
    system: str, right: list[list[int]], names: list[str], said: list[tuple[list[int], str]], rng: random.Random
) -> dict[str, Any]:
    """One rollout in the form that a system asks for."""
    think = THINK.format(names[0])
    prompt = f"Find every {names[0]} in the picture and say where it is."
    labelled = json.dumps([{"bbox_2d": box, "label": name} for box, name in said])
    if system == "vision-r1":
        gold = [[name, box] for name, box in zip(names, right, strict=True)]
        return {"prompt": prompt, "completion": labelled, "solution": json.dumps(gold), "width": 1024, "height": 1024}
    if system == "vlm-r1":
        gold_text = json.dumps([{"bbox_2d": box, "label": name} for name, box in zip(names, right, strict=True)])
        said_text = f"{think}\n<answer>\n```json\n{labelled}\n```\n</answer>"
        kind = {"accu_reward_method": "odLength"}
        return {"prompt": prompt, "completion": said_text, "solution": f"```json\n{gold_text}\n```", **kind}
    sure = json.dumps([{"Position": box, "Confidence": round(rng.random(), 2)} for box, _ in said])
    gold_text = json.dumps([{"Position": box, "Confidence": 1} for box in right])
    return {"prompt": prompt, "completion": f"{think}\n<answer>{sure}</answer>", "solution": gold_text}


def write(path: Path, count: int, system: str) -> None:
    """The file, some thousand rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = rows(count, system)
    if path.suffix == ".jsonl":
        with path.open("w") as file:
            file.writelines(json.dumps(one) + "\n" for one in stream)
        return
    first = [next(stream) for _ in range(min(count, 10_000))]
    with pq.ParquetWriter(path, pa.Table.from_pylist(first).schema) as writer:
        while first:
            writer.write_table(pa.Table.from_pylist(first))
            first = [one for _, one in zip(range(10_000), stream, strict=False)]


class Spent(NamedTuple):
    """What a command took: wall and CPU seconds, and the largest memory of its processes together, in MB."""

    wall: float
    cpu: float
    peak: float


def measured(command: list[str]) -> Spent:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            peak[0] = max(peak[0], sum(map(resident, [process.pid, *descendants(process.pid)])))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"{' '.join(command)} failed")
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall, cpu, peak[0])


def descendants(pid: int) -> list[int]:
    try:
        own = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return own + [below for child in own for below in descendants(child)]


def resident(pid: int) -> float:
    """Memory of a process in MB, pages shared with others in equal parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(float(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--system", choices=list(SYSTEMS), default="visual-rft")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    parser.add_argument("--format", choices=["jsonl", "parquet"], default="jsonl")
    parser.add_argument("--lean", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder in which the file is kept for the next run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        file = folder / f"{options.system}-{options.rows}.{options.format}"
        if not file.exists():
            write(file, options.rows, options.system)
        out = Path(temporary) / "scored.parquet"
        command = [sys.executable, "-m", "sightline.cli.main", "score", str(file), "-o", str(out)]
        command += ["--system", options.system, "--workers", options.workers, "--engine", options.engine]
        command += ["--set", "task=detection"] if options.system == "visual-rft" else []
        command += ["--lean"] if options.lean else []
        spent = measured(command)
        size = out.stat().st_size / 1e6
    said = f"{options.system}, {SYSTEMS[options.system]}; {options.format}; {options.workers} workers, {options.engine}"
    print(f"{options.rows:,} rollouts ({said})")
    print(f"{options.rows / spent.wall:,.0f} rollouts/s   {spent.wall:.1f} s   {spent.cpu:.1f} CPU s   ", end="")
    print(f"{spent.cpu / options.rows * 1e6:.1f} us of CPU a rollout   peak {spent.peak:.0f} MB   result {size:.0f} MB")


if __name__ == "__main__":
    main()
