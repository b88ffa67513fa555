"""`sightline serve`: a system or a reward of one's own behind HTTP."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from sightline.cli import names
from sightline.core.errors import ConfigError

Words = list[str] | None


def serve(
    system: Annotated[str, typer.Option(help="Slug of the system; `sightline systems` lists them.")] = "",
    variant: Annotated[str, typer.Option(help="strict or official.")] = "strict",
    plus: Annotated[Words, typer.Option(help="Extras of the system to add.")] = None,
    minus: Annotated[Words, typer.Option(help="Parts of the system to leave out.")] = None,
    reward: Annotated[str, typer.Option(help="A reward of your own: package.module:NAME.")] = "",
    judge: Annotated[str, typer.Option(help="Who is asked, as for `sightline score`.")] = "",
    judge_cache: Annotated[str, typer.Option(help="sqlite file that keeps verdicts.")] = "",
    judge_key: Annotated[str, typer.Option(help="Environment variable that holds the judge's key.")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    token_env: Annotated[str, typer.Option(help="Environment variable with the token that callers must send.")] = "",
    open_: Annotated[bool, typer.Option("--open", help="Serve other machines without a token.")] = False,
    media_root: Annotated[
        Path | None, typer.Option(help="Folder below which rows may name files; without it none.", file_okay=False)
    ] = None,
    set_: Annotated[Words, typer.Option("--set", help="NAME=VALUE for rows that lack NAME; JSON or text.")] = None,
    label: Annotated[str, typer.Option(help="Column that labels of OpenRLHF's protocol fill.")] = "",
    threads: Annotated[
        int, typer.Option(min=0, help="Requests that a process scores at once; 0: 8 with a judge, else 1.")
    ] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes beside the server that score; 0: it does itself.")] = 0,
    engine: Annotated[str, typer.Option(help="local, or ray: replicas in a Ray cluster score.")] = "local",
    replicas: Annotated[str, typer.Option(help="With ray: how many, or FEWEST:MOST by load.")] = "1",
    cpus: Annotated[float, typer.Option(min=0, help="With ray: cores of a replica.")] = 1.0,
    judge_gpus: Annotated[
        float, typer.Option(min=0, help="With ray: GPUs of a replica, for its judge; may be a share of one.")
    ] = 0.0,
    ray_address: Annotated[
        str, typer.Option(help="With ray: a running cluster; empty: $RAY_ADDRESS, or one on this machine.")
    ] = "",
    drain: Annotated[float, typer.Option(min=1, help="Seconds that answers may take after SIGTERM.")] = 120.0,
    limit: Annotated[
        Words, typer.Option(help="NAME=NUMBER: body_bytes, rows, images, pixels, depth, waiting, seconds, ...")
    ] = None,
) -> None:
    """Serve a reward over HTTP: JSON or MessagePack, also in OpenRLHF's protocol.

    sightline serve --system visual-rft --set task=detection --port 8000

    curl localhost:8000/score -H 'content-type: application/json' -d '{"rows": [...]}'
    """
    from sightline import serve as room
    from sightline import system as record
    from sightline.rewards.reward import with_judge

    if bool(system) == bool(reward):
        raise ConfigError("say what to serve: --system SLUG, or --reward package.module:NAME")
    changes = names.listed(plus or ()), names.listed(minus or ())
    rewarded = names.reward_named(reward) if reward else record.load(system).variant(variant, *changes)
    if judge:
        rewarded = with_judge(rewarded, names.judge_named(judge, judge_cache, judge_key))
    elif system:
        names.tell_default_judge(rewarded)
    token = _token(token_env)
    if media_root is not None and not media_root.is_dir():
        raise ConfigError(f"--media-root {media_root}: there is no such folder")
    name = f"{system} ({variant})" if system else reward
    service = room.Service(
        rewarded, name, _limits(limit or ()), media_root and media_root.resolve(), names.constants(set_ or ()), label
    )
    address = room.Address(host, port, token, open_)
    threads = threads or (8 if service.judged else 1)
    if engine not in ("local", "ray"):
        raise ConfigError(f"--engine {engine}: needs local or ray")
    given = {
        "--replicas": replicas != "1",
        "--cpus": cpus != 1,
        "--judge-gpus": judge_gpus,
        "--ray-address": ray_address,
    }
    if engine == "local" and any(given.values()):
        raise ConfigError(f"{next(name for name, value in given.items() if value)} belongs to --engine ray")
    if engine == "ray" and workers:
        raise ConfigError("--workers belongs to --engine local; a cluster has --replicas")
    scorers: room.Engine
    if engine == "ray":
        scorers = room.Replicas(service, *_counts(replicas), threads, cpus, judge_gpus, ray_address)
    else:
        scorers = room.Processes(service, workers) if workers else room.Threads(service, threads)
    room.serve(service, address, scorers, drain)


def _counts(words: str) -> tuple[int, int]:
    fewest, _, most = words.partition(":")
    if not fewest.isdecimal() or not (most or fewest).isdecimal():
        raise ConfigError(f"--replicas {words}: needs a number, or two as FEWEST:MOST")
    return int(fewest), int(most or fewest)


def _token(variable: str) -> str:
    token = os.environ.get(variable, "").strip() if variable else ""  # files of secrets end with a new line
    if variable and not token:
        raise ConfigError(f"--token-env {variable}: the variable is empty or not set")
    return token


def _limits(words: list[str] | tuple[()]) -> Any:
    from sightline.serve import Limits

    given: dict[str, Any] = {}
    for name, value in names.constants(words):
        default = getattr(Limits(), name, None)
        if default is None or type(value) not in (int, type(default)):
            known = sorted(Limits.__dataclass_fields__)
            raise ConfigError(f"--limit {name}={value}: needs a number for one of {known}")
        given[name] = value
    return replace(Limits(), **given)
