"""Bytes of a request to plain values and back: JSON or MessagePack, nothing that can hold code.

Knows nothing of rollouts. A body cannot become more objects than `Limits.values`, however it is written.
"""

from __future__ import annotations

from typing import Any

import orjson

from sightline.serve.limits import Limits
from sightline.serve.refusal import Refusal, too_large

JSON, MSGPACK = "application/json", "application/msgpack"
KINDS = {JSON: JSON, MSGPACK: MSGPACK, "application/x-msgpack": MSGPACK, "application/vnd.msgpack": MSGPACK}


def kind_of(header: str) -> str:
    """The format that a content type names.

    Raises:
        Refusal: 415, it is neither JSON nor MessagePack.

    Example:
        >>> kind_of("Application/JSON; charset=utf-8"), kind_of("application/x-msgpack")
        ('application/json', 'application/msgpack')
    """
    found = KINDS.get(header.partition(";")[0].strip().lower())
    if found is None:
        raise Refusal(415, "unknown_format", f"content type `{header[:80]}`; needs {JSON} or {MSGPACK}")
    return found


def decoded(body: bytes, kind: str, limits: Limits) -> Any:
    """The value that a body holds.

    Raises:
        Refusal: 400 if it is broken, 413 if it holds more values than the limit.

    Example:
        >>> decoded(b'{"rows": []}', JSON, Limits())
        {'rows': []}
    """
    try:
        return _json(body, limits) if kind == JSON else _msgpack(body, limits)
    except (ValueError, RecursionError) as error:  # those of both decoders are ValueErrors
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Refusal(400, "broken_body", f"the body is not whole {_name(kind)}: {said}") from error


def encoded(value: Any, kind: str) -> bytes:
    """A value as a body; in JSON a NaN is null. Half of a surrogate pair, which no body can hold, becomes `?`."""
    try:
        return _encoded(value, kind)
    except (UnicodeEncodeError, orjson.JSONEncodeError):
        return _encoded(_sound(value), kind)


def _encoded(value: Any, kind: str) -> bytes:
    if kind == JSON:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    import msgpack

    packed: bytes = msgpack.packb(value)
    return packed


def _sound(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_sound(name): _sound(item) for name, item in value.items()}
    return [_sound(item) for item in value] if isinstance(value, list | tuple) else value


def _json(body: bytes, limits: Limits) -> Any:
    if len(body) <= limits.values:  # each value takes a byte at least
        return orjson.loads(body)
    count = body.count(b",") + body.count(b"[") + body.count(b"{")
    if count > limits.values:
        raise too_large(f"the body holds about {count:,} values, more than {limits.values:,}; send fewer rows at once")
    return orjson.loads(body)


def _msgpack(body: bytes, limits: Limits) -> Any:
    import msgpack

    made = 0

    def count(found: Any) -> Any:
        nonlocal made
        made += 1 + len(found)
        if made > limits.values:
            raise too_large(f"the body holds more than {limits.values:,} values; send fewer rows at once")
        return found

    def no_extension(code: int, data: bytes) -> Any:
        raise ValueError(f"extension type {code} is not accepted")

    try:
        return msgpack.unpackb(
            body,
            strict_map_key=True,
            max_array_len=min(len(body), limits.values),
            max_map_len=min(len(body), limits.values),
            list_hook=count,
            object_hook=count,
            ext_hook=no_extension,
        )
    except ValueError as error:
        if limits.values < len(body) and "exceeds max_" in str(error):
            raise too_large(f"the body holds more than {limits.values:,} values: {error}") from error
        raise


def _name(kind: str) -> str:
    return "JSON" if kind == JSON else "MessagePack"
