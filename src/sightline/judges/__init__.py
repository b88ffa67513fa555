"""The only room that calls a model to judge. Backends are imported when they are first named.

- judge: what a judge is: four abilities, a question, a verdict
- remote: behind an OpenAI-compatible server (calls: its async core; lanes: connections; wire: formats; album: pictures)
- local: a transformers model in this process (batches: what runs together; loaded: the model, what it says and embeds;
  continuations: what it finds likely; vocabulary: without all logits at once)
- held: a model object that is in memory, such as the policy itself
- cache: verdicts on disk, so that nothing is asked twice (store: the file; fingerprint: what is "the same" question)
- replay: verdicts that were recorded
- embedders: texts, or texts and pictures, as vectors
- overlap, equality, lexical, colours: no model, only words and pixels
- stream: verdicts as they arrive
- votes: several votes, both orders
- verdicts: what a judge's text says
- prompts: the words that we ask with
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sightline.judges.judge import Ability, Chooses, Embeds, Generates, Judge, Loglik, Question, Sampling, Verdict, ask

if TYPE_CHECKING:
    from sightline.judges.cache import CachedJudge
    from sightline.judges.colours import ColourEmbedder, ColourJudge
    from sightline.judges.embedders import DualEncoder, SentenceEmbedder
    from sightline.judges.held import ModelJudge, OwnPolicy, frozen_copy
    from sightline.judges.lexical import LexicalEmbedder, LexicalJudge
    from sightline.judges.local import LocalJudge
    from sightline.judges.overlap import OverlapJudge
    from sightline.judges.prompts import Prompt, prompt
    from sightline.judges.remote import RemoteJudge
    from sightline.judges.replay import Record, RecordingJudge, ReplayJudge, ScriptedJudge, export_cache
    from sightline.judges.store import VerdictStore
    from sightline.judges.stream import Streamed, Streams, arrivals
    from sightline.judges.verdicts import JsonRating, OneOf, Rating, json_verdict, zero_or_one
    from sightline.judges.votes import balanced, both_orders, mean_vote, same_in_both_orders, voters

_FILES = {
    "cache": ("CachedJudge",),
    "colours": ("ColourEmbedder", "ColourJudge"),
    "embedders": ("DualEncoder", "SentenceEmbedder"),
    "held": ("ModelJudge", "OwnPolicy", "frozen_copy"),
    "lexical": ("LexicalEmbedder", "LexicalJudge"),
    "local": ("LocalJudge",),
    "overlap": ("OverlapJudge",),
    "prompts": ("Prompt", "prompt"),
    "remote": ("RemoteJudge",),
    "replay": ("Record", "RecordingJudge", "ReplayJudge", "ScriptedJudge", "export_cache"),
    "store": ("VerdictStore",),
    "stream": ("Streamed", "Streams", "arrivals"),
    "verdicts": ("JsonRating", "OneOf", "Rating", "json_verdict", "zero_or_one"),
    "votes": ("balanced", "both_orders", "mean_vote", "same_in_both_orders", "voters"),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}

__all__ = [
    "Ability",
    "CachedJudge",
    "Chooses",
    "ColourEmbedder",
    "ColourJudge",
    "DualEncoder",
    "Embeds",
    "Generates",
    "JsonRating",
    "Judge",
    "LexicalEmbedder",
    "LexicalJudge",
    "LocalJudge",
    "Loglik",
    "ModelJudge",
    "OneOf",
    "OverlapJudge",
    "OwnPolicy",
    "Prompt",
    "Question",
    "Rating",
    "Record",
    "RecordingJudge",
    "RemoteJudge",
    "ReplayJudge",
    "Sampling",
    "ScriptedJudge",
    "SentenceEmbedder",
    "Streamed",
    "Streams",
    "Verdict",
    "VerdictStore",
    "arrivals",
    "ask",
    "balanced",
    "both_orders",
    "export_cache",
    "frozen_copy",
    "json_verdict",
    "mean_vote",
    "prompt",
    "same_in_both_orders",
    "voters",
    "zero_or_one",
]


def __getattr__(name: str) -> Any:
    if name not in _FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILE_OF[name]}"), name)
