"""Whether a prediction keeps its objectives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property

from rung.schema import Explanation, Judged, Report

GOAL = re.compile(r"throughput|errors|(endpoint:.*\.)?(mean|p50|p90|p95|p99)")
"""Numbers of objectives by which changes can be judged."""

_broken: ContextVar[list[Verdict] | None] = ContextVar("_broken", default=None)


class Verdict:
    """Whether all objectives are kept, for ``assert``. Its text has the numbers."""

    def __init__(self, report: Report, explain: Callable[[], Explanation]) -> None:
        self.report = report
        self._explain = explain

    @property
    def objectives(self) -> tuple[Judged, ...]:
        """Each objective, and what was found."""
        return self.report.objectives

    @cached_property
    def explanation(self) -> Explanation:
        """Why: what to change, by how much that helps. It is computed when it is asked for."""
        return self._explain()

    def __bool__(self) -> bool:
        kept = all(judged.state == "kept" for judged in self.objectives)
        noted = _broken.get()
        if not kept and noted is not None and self not in noted:
            noted.append(self)
        return kept

    def lines(self) -> str:
        """A line for each objective."""
        return "\n".join(map(_line, self.objectives))

    def __repr__(self) -> str:
        return f"<{self.report.scenario}: {'; '.join(map(_line, self.objectives))}>"


def goal_of(report: Report) -> str | None:
    """The number that breaks an objective and is to be improved, if changes can be judged by it."""
    for judged in report.objectives:
        # A name may have blanks, relation and limit have none.
        number, _relation, _limit = judged.objective.rsplit(" ", 2)
        if judged.state == "broken" and GOAL.fullmatch(number):
            return number
    return None


@contextmanager
def noting_broken() -> Iterator[list[Verdict]]:
    """Notes the verdicts that are found broken meanwhile."""
    noted: list[Verdict] = []
    before = _broken.set(noted)
    try:
        yield noted
    finally:
        _broken.reset(before)


def _line(judged: Judged) -> str:
    state = "not told" if judged.state == "unknown" else judged.state
    doubt = "" if judged.sure or judged.state == "unknown" else ", not sure"
    return f"{judged.objective} is {state}{doubt}: {judged.found}"
