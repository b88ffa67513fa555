"""An OpenAI-compatible server around a transformers model: chat, completions with echo, embeddings.

It speaks vLLM's dialect (`prompt_logprobs`, `continue_final_message`) and computes everything by plain forward passes
of its own, one request at a time: what the judge finds out over HTTP can be held against it.
"""

from __future__ import annotations

from typing import Any

import torch
from aiohttp import web

from sightline.media import images


class ModelServer:
    """Answers of `loopback_server.serving` from a model; `seen` keeps the pictures that arrived."""

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model.eval(), processor
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self.seen: list[Any] = []

    def __call__(self, path: str, body: dict[str, Any], nth: int) -> Any:
        with torch.no_grad():
            if path.endswith("/chat/completions"):
                return self._chat(body)
            if path.endswith("/completions"):
                return self._echo(body)
            if path.endswith("/embeddings"):
                return self._embedding(body)
        return web.Response(status=404, text="no such endpoint")

    def _chat(self, body: dict[str, Any]) -> Any:
        inputs = self._inputs(body)
        logits_TV = self.model(**inputs).logits[0].float()
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        reply: dict[str, Any] = {"id": "1", "object": "chat.completion", "choices": [choice]}
        if "prompt_logprobs" in body:
            reply["prompt_logprobs"] = self._prompt_logprobs(inputs["input_ids"][0], logits_TV)
        if body.get("logprobs"):
            choice["logprobs"] = {"content": [self._top(logits_TV[-1], body["top_logprobs"])]}
        choice["message"] = {"role": "assistant", "content": self._said(inputs, body)}
        return reply

    def _inputs(self, body: dict[str, Any]) -> Any:
        messages, pictures = [], []
        for message in body["messages"]:
            content = message["content"]
            if not isinstance(content, str):
                for part in content:
                    if part["type"] == "image_url":
                        pictures.append(images.load(part["image_url"]["url"]))
                content = [{"type": "image"} if p["type"] == "image_url" else p for p in content]
            messages.append({"role": message["role"], "content": content})
        self.seen += pictures
        going_on = bool(body.get("continue_final_message"))
        how = {"add_generation_prompt": body.get("add_generation_prompt", True), "continue_final_message": going_on}
        text = self.tokenizer.apply_chat_template(
            messages, tokenize=False, chat_template=self.processor.chat_template, **how
        )
        shown = {"images": [pictures]} if pictures else {}
        return (self.processor if pictures else self.tokenizer)(
            text=[text], **shown, return_tensors="pt", add_special_tokens=False
        )

    def _said(self, inputs: Any, body: dict[str, Any]) -> str:
        warm = body.get("temperature", 1.0) > 0
        how = {"do_sample": True, "temperature": body["temperature"], "top_k": 0} if warm else {"do_sample": False}
        with torch.random.fork_rng():
            torch.manual_seed(body.get("seed") or 0)
            ids = self.model.generate(**inputs, max_new_tokens=body["max_tokens"], **how)
        return str(self.tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)) or " "

    def _prompt_logprobs(self, ids_T: torch.Tensor, logits_TV: torch.Tensor) -> list[Any]:
        logp_TV = logits_TV.log_softmax(-1)
        entries: list[Any] = [None]
        for place, token in enumerate(ids_T.tolist()[1:]):
            rank = int((logp_TV[place] > logp_TV[place, token]).sum()) + 1
            said = {
                "logprob": float(logp_TV[place, token]),
                "rank": rank,
                "decoded_token": self.tokenizer.decode([token]),
            }
            entries.append({str(token): said})
        return entries

    def _top(self, logits_V: torch.Tensor, size: int) -> dict[str, Any]:
        logps, tokens = logits_V.log_softmax(-1).topk(size)
        pairs = zip(tokens.tolist(), logps.tolist(), strict=True)
        entries = [{"token": self.tokenizer.decode([token]), "logprob": logp, "bytes": None} for token, logp in pairs]
        return {**entries[0], "top_logprobs": entries}

    def _echo(self, body: dict[str, Any]) -> Any:
        found = self.tokenizer(
            body["prompt"], return_tensors="pt", add_special_tokens=False, return_offsets_mapping=True
        )
        starts = [start for start, _ in found.pop("offset_mapping")[0].tolist()]
        ids_T = found["input_ids"][0]
        logp_TV = self.model(**found).logits[0].float().log_softmax(-1)
        logps = [None, *(float(logp_TV[place, token]) for place, token in enumerate(ids_T.tolist()[1:]))]
        told = {
            "tokens": [self.tokenizer.decode([t]) for t in ids_T.tolist()],
            "text_offset": starts,
            "token_logprobs": logps,
        }
        return {"choices": [{"index": 0, "text": body["prompt"], "logprobs": told}]}

    def _embedding(self, body: dict[str, Any]) -> Any:
        inputs = self._inputs({"messages": [{"role": "user", "content": body["input"]}]})
        states = self.model(**inputs, output_hidden_states=True).hidden_states[-1][0]
        return {"data": [{"index": 0, "embedding": states.float().mean(0).tolist()}]}
