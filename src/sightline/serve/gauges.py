"""What a server tells Prometheus about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sightline.serve.service import Answer

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


@dataclass(frozen=True)
class Gauges:
    """Counters of one server, in a registry of its own."""

    registry: Any
    requests: Any
    seconds: Any
    refusals: Any
    rollouts: Any
    scoring: Any
    repeats: Any

    @classmethod
    def new(cls, desk: Any, engine: Any) -> Gauges:
        """Gauges that also show `inside` and `held_bytes` of a desk, and how long an engine has been stuck."""
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

        registry = CollectorRegistry()
        inside = Gauge("sightline_requests_inside", "Requests taken on and not yet answered.", registry=registry)
        inside.set_function(lambda: desk.inside)
        held = Gauge("sightline_body_bytes_inside", "Bytes of their bodies.", registry=registry)
        held.set_function(lambda: desk.held_bytes)
        stuck = Gauge("sightline_stuck_seconds", "No place was free for so long.", registry=registry)
        stuck.set_function(engine.seconds_stuck)
        ProcessCollector(registry=registry)
        return cls(
            registry,
            Counter("sightline_requests", "Requests by route and status.", ["route", "status"], registry=registry),
            Histogram(
                "sightline_request_seconds",
                "Until a request was answered.",
                ["route"],
                buckets=SECONDS,
                registry=registry,
            ),
            Counter("sightline_refusals", "Requests without scores, by code.", ["code"], registry=registry),
            Counter("sightline_rollouts", "Rollouts by outcome.", ["outcome"], registry=registry),
            Histogram(
                "sightline_scoring_seconds",
                "Work on one request.",
                buckets=SECONDS,
                registry=registry,
            ),
            Counter("sightline_repeats", "Retries answered without scoring again.", registry=registry),
        )

    def count(self, answer: Answer) -> None:
        self.scoring.observe(answer.seconds)
        for outcome in ("scored", "nothing_to_judge", "failed"):
            self.rollouts.labels(outcome).inc(getattr(answer, outcome))

    def page(self) -> bytes:
        from prometheus_client import generate_latest

        found: bytes = generate_latest(self.registry)
        return found
