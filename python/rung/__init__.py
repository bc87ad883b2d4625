"""Predict, before you rent hardware, what your web service will do.

>>> import rung
>>> report = rung.scenario("v6.toml", set={"service.workers": 4}).predict(replications=2)
>>> report.response_time.p50 < report.response_time.p99
True
"""

from rung.answer import Answer
from rung.errors import Problem, RungError
from rung.highest import Highest
from rung.scenario import Effort, Scenario, scenario
from rung.schema import Choice, Estimate, Explanation, Judged, Ladder, Report, Size, Sweep
from rung.tables import Table
from rung.verdict import Verdict

__all__ = [
    "Answer",
    "Choice",
    "Effort",
    "Estimate",
    "Explanation",
    "Highest",
    "Judged",
    "Ladder",
    "Problem",
    "Report",
    "RungError",
    "Scenario",
    "Size",
    "Sweep",
    "Table",
    "Verdict",
    "scenario",
]
