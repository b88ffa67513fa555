"""Self-play of three roles that writes traces of asking and looking, for a cold start.

A reasoner that cannot see asks one visual question after the other; a perceiver that sees, but does not know the task,
answers; a verifier compares the final answer with the right one. What is accepted becomes the inner monologue of one
model. Roles are judges that can `generate`; nothing here knows which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from sightline.core.missing import Missing
from sightline.judges.judge import Generates, Question, Sampling, ask
from sightline.judges.prompts import prompt
from sightline.parse.tags import Block
from sightline.rewards.pictures import pictures_of

Outcome: TypeAlias = Literal[
    "accepted",
    "rejected",
    "reasoner_missing_thinking",
    "output_format_error",
    "reasoner_api_error",
    "perception_api_error",
    "verifier_api_error",
    "max_rounds_exceeded",
]
THINKING, ASKED = Block("thinking"), Block("question")
_FINAL = re.compile(r"\[Final Answer\]:(.*)", re.DOTALL)
OPENING = "I will ask myself about the picture, look, and go on from what I see."
FOLLOWING = "Based on the observed details: "


@dataclass(frozen=True)
class Round:
    """One question to the picture: what was thought before, what was asked, what was seen."""

    thinking: str
    question: str
    perception: str


@dataclass(frozen=True)
class Trace:
    """What became of one question.

    Args:
        question, answer: the task and its right answer.
        outcome: `accepted`, or why not.
        rounds: what was asked and seen.
        thinking: the last thoughts.
        final: the answer that was given, empty if none.
        why: the verifier's or the provider's words.
        images: what the perceiver saw.
    """

    question: str
    answer: str
    outcome: Outcome
    rounds: tuple[Round, ...] = ()
    thinking: str = ""
    final: str = ""
    why: str = ""
    images: tuple[Any, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.outcome == "accepted"

    @property
    def text(self) -> str:
        """The rounds as one monologue in a think block, and the answer behind it."""
        parts = [OPENING]
        for number, turn in enumerate(self.rounds):
            parts += [f"{FOLLOWING if number else ''}{turn.thinking}", turn.question, turn.perception]
        parts += [f"{FOLLOWING if self.rounds else ''}{self.thinking}"] if self.thinking else []
        inner = "\n".join(parts)
        return f"<think>{inner}</think>\n{self.final}"

    def row(self) -> dict[str, Any]:
        """The trace as a record: pictures, question, text, answer, number of rounds, and whether it was accepted."""
        return {
            "images": list(self.images),
            "question": self.question,
            "trace": self.text,
            "answer": self.answer,
            "rounds": len(self.rounds),
            "accepted": self.accepted,
            "outcome": self.outcome,
        }


@dataclass(frozen=True)
class SelfPlay:
    """Plays one question until it is answered, or for `most` rounds.

    Args:
        reasoner: answers in words only; it writes `<thinking>..</thinking>`, then either `<question>..</question>` or
            `[Final Answer]: ..`, one of both.
        perceiver: sees the picture, and is asked that question only.
        verifier: says `ACCEPT` or `REJECT: reason`.
        most: rounds.
        sampling: how reasoner and perceiver write.

    Reads of a row: `question`, `answer`, `images` or `image`.

    Example:
        >>> from sightline.judges import ScriptedJudge
        >>> reasoner = ScriptedJudge(("<thinking>A harbour has ships.</thinking>[Final Answer]: 2",))
        >>> play = SelfPlay(reasoner, ScriptedJudge(()), ScriptedJudge(("ACCEPT.",)))
        >>> print(play({"question": "How many ships?", "answer": "2"}).text)
        <think>I will ask myself about the picture, look, and go on from what I see.
        A harbour has ships.</think>
        2

    References:
        Asking like Socrates, arXiv 2511.22396, SocraticAgent. The words of the prompts are ours.
    """

    reasoner: Generates
    perceiver: Generates
    verifier: Generates
    most: int = 6
    sampling: Sampling = Sampling(temperature=0.7, max_tokens=1024)

    def __call__(self, row: Mapping[str, Any]) -> Trace:
        start = Trace(str(row["question"]), str(row["answer"]), "max_rounds_exceeded", images=pictures_of(row))
        rounds: list[Round] = []
        for _ in range(self.most):
            so_far = replace(start, rounds=tuple(rounds))
            reply = self._reasoned(start.question, rounds)
            if isinstance(reply, Missing):
                return replace(so_far, outcome="reasoner_api_error", why=reply.why)
            turn = read_turn(reply)
            if isinstance(turn, str):
                return replace(so_far, outcome=turn, why=reply[:200])
            if turn.final is not None:
                return self._verified(replace(so_far, thinking=turn.thinking, final=turn.final))
            seen = self._perceived(turn.question, start.images)
            if isinstance(seen, Missing):
                return replace(so_far, outcome="perception_api_error", thinking=turn.thinking, why=seen.why)
            rounds.append(Round(turn.thinking, turn.question, seen))
        return replace(start, rounds=tuple(rounds))

    def _reasoned(self, task: str, rounds: Sequence[Round]) -> str | Missing:
        said = "\n".join(f"Question: {turn.question}\nAnswer: {turn.perception}" for turn in rounds) or "(nothing yet)"
        fields = (("task", task), ("dialogue", said))
        return _asked(self.reasoner, Question(prompt("socratic_reasoner").text, fields, sampling=self.sampling))

    def _perceived(self, question: str, pictures: tuple[Any, ...]) -> str | Missing:
        words = prompt("socratic_perceiver").text
        asked = Question(words, (("question", question),), images=pictures, sampling=self.sampling)
        return _asked(self.perceiver, asked)

    def _verified(self, trace: Trace) -> Trace:
        fields = (("question", trace.question), ("answer", trace.answer), ("said", trace.final))
        reply = _asked(self.verifier, Question(prompt("socratic_verifier").text, fields, fenced=("said",)))
        if isinstance(reply, Missing):
            return replace(trace, outcome="verifier_api_error", why=reply.why)
        return replace(trace, outcome="accepted" if accepts(reply) else "rejected", why=reply.strip())


@dataclass(frozen=True)
class Turn:
    """What a reasoner wrote: thoughts, and either a question or, if `final` is not None, the answer."""

    thinking: str
    question: str = ""
    final: str | None = None


def read_turn(reply: str) -> Turn | Outcome:
    """A reasoner's reply, or the outcome that it ends in.

    Example:
        >>> read_turn("<thinking>t</thinking>[Final Answer]: 2")
        Turn(thinking='t', question='', final='2')
        >>> read_turn("[Final Answer]: 2"), read_turn("<thinking>t</thinking>well")
        ('reasoner_missing_thinking', 'output_format_error')
    """
    thinking = THINKING.span(reply)
    if isinstance(thinking, Missing):
        return "reasoner_missing_thinking"
    rest = reply[thinking.end :]
    question, final = ASKED(rest), _FINAL.search(rest)
    if isinstance(question, Missing) == (final is None):  # neither, or both
        return "output_format_error"
    if final is not None:
        return Turn(thinking.text, final=final[1].strip()) if final[1].strip() else "output_format_error"
    return Turn(thinking.text, str(question)) if question else "output_format_error"


def accepts(reply: str) -> bool:
    """Whether a verifier's reply is the word ACCEPT, with or without punctuation around it.

    Example:
        >>> accepts("ACCEPT"), accepts(" **ACCEPT.**"), accepts("REJECT: no"), accepts("I do not ACCEPT")
        (True, True, False, False)
    """
    return reply.strip(" \t\r\n*.!`\"'") == "ACCEPT"


def _asked(judge: Generates, question: Question) -> str | Missing:
    verdict = ask(judge, "generate", [question])[0]
    return (
        verdict.value if isinstance(verdict.value, str) and not verdict.error else Missing(verdict.error or "silence")
    )
