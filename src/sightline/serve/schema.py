"""The OpenAPI description of what travels, for people; `requests.py` checks bodies, as it can name the row."""

from __future__ import annotations

from typing import Any

from sightline.serve.bodies import JSON, MSGPACK

Schema = dict[str, Any]
NUMBERS: Schema = {"type": "array", "items": {"type": ["number", "null"]}}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
TURN: Schema = {
    "type": "object",
    "properties": {"role": {"type": "string"}, "content": {"type": ["string", "array", "null"]}},
}
WORDS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": TURN}]}
ROW: Schema = {
    "type": "object",
    "required": ["completion"],
    "additionalProperties": True,
    "description": "A rollout: completion (a text or chat messages), and optionally prompt, group, images, and the "
    "columns that the reward reads. A picture is bytes (MessagePack), {bytes: base64}, a data URL, or {media: id}.",
    "properties": {"completion": WORDS, "prompt": {}, "group": {"type": ["integer", "string", "null"]}, "images": {}},
}
SCORE_REQUEST: Schema = {
    "type": "object",
    "description": "Exactly one of rows, groups and columns.",
    "oneOf": [{"required": [shape]} for shape in ("rows", "groups", "columns")],
    "additionalProperties": False,
    "properties": {
        "rows": {"type": "array", "minItems": 1, "items": ROW},
        "groups": {"type": "array", "minItems": 1, "items": {"type": "array", "minItems": 1, "items": ROW}},
        "columns": {
            "type": "object",
            "required": ["completion"],
            "properties": {"completion": {"type": "array", "minItems": 1, "items": WORDS}},
            "additionalProperties": {"type": "array", "items": {}},
        },
        "media": {"type": "object", "description": "id -> bytes, for pictures that several rows show"},
        "step": {"type": "integer", "minimum": 0, "description": "the training step, for rewards with a schedule"},
        "marks": {"type": "boolean", "description": "also answer where in the rollout a score was earned"},
    },
}
PART: Schema = {"type": "object", "properties": {"scores": NUMBERS, "why": TEXTS}}
SCORE_ANSWER: Schema = {
    "type": "object",
    "required": ["scores", "why", "parts"],
    "properties": {
        "scores": {**NUMBERS, "description": "null: unscorable; its reason begins with `abstain: ` or `error: `"},
        "why": TEXTS,
        "parts": {"type": "object", "additionalProperties": PART},
        "marks": {"type": "array", "items": {"type": "array", "items": {"type": "object"}}},
    },
}
OPENRLHF_REQUEST: Schema = {
    "type": "object",
    "required": ["query", "prompts", "labels"],
    "properties": {"query": TEXTS, "prompts": TEXTS, "labels": {"type": "array", "items": {}}},
}
OPENRLHF_ANSWER: Schema = {
    "type": "object",
    "required": ["rewards", "scores", "extra_logs"],
    "properties": {
        "rewards": {"type": "array", "items": {"type": "number"}},
        "scores": {"type": "array", "items": {"type": "number"}},
        "extra_logs": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}},
    },
}
REFUSAL: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "row": {"type": "integer"},
                "column": {"type": "string"},
            },
        }
    },
}
MEANINGS = {
    400: "the body is broken or cut off",
    401: "no token, or a wrong one",
    408: "the body took too long to arrive",
    413: "larger than a limit: bytes, rows, pictures, pixels, depth, values",
    415: "neither JSON nor MessagePack, or compressed",
    422: "wrong content; row and column are named",
    429: "all places are taken; Retry-After says when to come again",
    500: "the reward itself failed",
    503: "the server ends; or a judge failed, where the protocol has no way to say so",
    504: "not scored in time; the same key gets the answer later",
}
KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "a name for this request: sent again with the same body, it is answered and not scored again",
}
REFUSALS: dict[int | str, Schema] = {
    status: {"description": meaning, "content": {JSON: {"schema": REFUSAL}}} for status, meaning in MEANINGS.items()
}


PAGE: dict[int | str, Schema] = {
    status: {"description": meaning, "content": {JSON: {"schema": shape}}}
    for status, meaning, shape in ((200, "what is served", {"type": "object"}), (401, MEANINGS[401], REFUSAL))
}
METRICS: dict[int | str, Schema] = {
    200: {"description": "for Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}},
    401: PAGE[401],
}
PROBE: dict[int | str, Schema] = {
    status: {"description": meaning, "content": {JSON: {"schema": {"type": "object"}}}}
    for status, meaning in ((200, "yes"), (503, "no"))
}


def route(request: Schema, answer: Schema) -> Schema:
    """What FastAPI adds to the description of a route."""
    content = {kind: {"schema": request} for kind in (JSON, MSGPACK)}
    answers = {"200": {"description": "scores", "content": {kind: {"schema": answer} for kind in (JSON, MSGPACK)}}}
    return {"requestBody": {"required": True, "content": content}, "responses": answers, "parameters": [KEY]}


def described(openapi: Schema, token: bool) -> Schema:
    """FastAPI's description, with the token that callers send."""
    if not token:
        return openapi
    scheme = {"token": {"type": "http", "scheme": "bearer"}}
    components = {**openapi.get("components", {}), "securitySchemes": scheme}
    return {**openapi, "components": components, "security": [{"token": []}]}


SCORE = route(SCORE_REQUEST, SCORE_ANSWER)
OPENRLHF = route(OPENRLHF_REQUEST, OPENRLHF_ANSWER)
