"""The plan of this service, which the parent wrote; read once."""

import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

VARIABLE = "RUNG_PLAN"
"""The environment variable that names the plan's file."""


@dataclass(frozen=True)
class Plan:
    """A scenario as this stack runs it. Times are in seconds, unless a name says nanoseconds."""

    server: str
    workers: int
    threads: int
    limit_concurrency: int | None
    backlog: int
    keep_alive: float | None
    worker_timeout: int
    max_requests: int | None
    max_requests_jitter: int
    event_loop: str
    cpus: list[int]
    report_to: str
    places: list[dict[str, str]]
    database: dict[str, Any] | None
    upstreams: list[dict[str, Any]]
    locks: list[dict[str, Any]]
    rows: list[str]
    endpoints: list[dict[str, Any]]

    def place(self, kind: str, of: str | None = None) -> int:
        """The number under which the parent counts this place, of an upstream or a lock."""
        known = [(one["kind"], one.get("upstream", one.get("lock"))) for one in self.places]
        return known.index((kind, of))


@cache
def plan() -> Plan:
    """The plan of this process."""
    with open(os.environ[VARIABLE], encoding="utf-8") as file:
        return Plan(**json.load(file))
