"""A scenario, and what can be asked about it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, cast

from rung import programs, words
from rung.answer import Answer
from rung.errors import RungError
from rung.highest import Highest, search
from rung.schema import Choice, Explanation, Ladder, Report, Size, Sweep
from rung.verdict import Verdict, goal_of

if TYPE_CHECKING:
    import distributed

A = TypeVar("A", bound=Answer)


class Effort(TypedDict, total=False):
    """How hard to try. Left out, the program decides."""

    replications: int
    """Run exactly so many replications."""
    precision: float | str
    """Replicate until the throughput's interval is within this share of it: 0.01 or "1%"."""
    confidence: float | str
    """Confidence of every interval."""
    max_events: int
    """Give up after so many events in one replication."""
    threads: int
    """Processors to use; the answer is the same with any number."""


@dataclass(frozen=True)
class Scenario:
    """A scenario file and changes to it, which were checked. `scenario` makes one."""

    file: str
    changes: tuple[str, ...]
    """Each ``KEY=VALUE``, the later ones over the earlier."""
    seed: int | None
    folder: str
    """The folder in which the file was looked for."""

    def set(self, changes: Mapping[str, words.Value]) -> Scenario:
        """The same scenario with these keys changed, too.

        >>> import rung
        >>> rung.scenario("v6.toml").set({"service.workers": 4}).changes
        ('service.workers=4',)
        """
        more = (f"{key}={words.value(key, value)}" for key, value in changes.items())
        return replace(self, changes=(*self.changes, *more)).checked()

    def checked(self) -> Scenario:
        """This scenario.

        Raises:
            RungError: with every problem of its files and changes.
        """
        self.check()
        return self

    def check(self) -> dict[str, Any]:
        """What ``sim check`` says: name, question, digest, all keys with their values, notes."""
        return cast(dict[str, Any], json.loads(self.ask("check", [])))

    def toml(self) -> str:
        """The scenario as one file, with all defaults."""
        return self.ask("check", [], form="text").decode()

    def predict(
        self,
        *,
        keep: str | Iterable[str] = (),
        goal: str | None = None,
        over_time: bool = False,
        **effort: Unpack[Effort],
    ) -> Report:
        """What would happen: throughput, response times, errors, and the limit.

        Args:
            keep: objectives, such as ``"p99 < 800ms"``; beside those of the file.
            goal: what changes are to improve: ``"throughput"``, ``"errors"``, ``"p99"``.
            over_time: tell what happens when, too.
            effort: see `Effort`.

        >>> import rung
        >>> report = rung.scenario("v6.toml", set={"service.workers": 4}).predict(replications=2)
        >>> report.kind, report.seed, report.throughput.low < report.throughput.high
        ('predicted', 1, True)
        """
        options = [*_keep(keep), *_goal(goal), *_effort(effort)]
        return self._answer(Report, "scenario", [*options, *(["--over-time"] if over_time else [])])

    def explain(
        self,
        *,
        keep: str | Iterable[str] = (),
        goal: str | None = None,
        over_time: bool = False,
        **effort: Unpack[Effort],
    ) -> Explanation:
        """Why: every knob turned, what to change step by step, what each endpoint does."""
        options = [*_keep(keep), *_goal(goal), *_effort(effort)]
        return self._answer(
            Explanation, "explain", [*options, *(["--over-time"] if over_time else [])]
        )

    def ladder(self, *, allow_many: bool = False, **effort: Unpack[Effort]) -> Ladder:
        """What each change bought: this scenario and all that it extends.

        Args:
            allow_many: accept rungs that turn more than one knob.
            effort: see `Effort`.
        """
        many = ["--allow-many"] if allow_many else []
        return self._answer(Ladder, "ladder", [*many, *_effort(effort)])

    def size(
        self,
        *,
        keep: str | Iterable[str] = (),
        open: bool = False,
        headroom: bool = False,
        max_events: int | None = None,
        threads: int | None = None,
    ) -> Size:
        """How much load it takes: the highest that keeps the objectives.

        Args:
            keep: objectives, beside those of the file.
            open: look for a rate of arrivals, where the file has users.
            headroom: how much is left before an objective breaks, too.
            max_events: give up after so many events in one run.
            threads: processors to use; the answer is the same with any number.
        """
        flags = [*(["--open"] if open else []), *(["--headroom"] if headroom else [])]
        few = _effort(_some(max_events=max_events, threads=threads))
        return self._answer(Size, "size", [*_keep(keep), *flags, *few])

    def choose(
        self,
        settings: Mapping[str, str | Iterable[words.Value]],
        *,
        keep: str | Iterable[str] = (),
        cost: str | None = None,
        rate: str | None = None,
        users: int | None = None,
        max_events: int | None = None,
        threads: int | None = None,
    ) -> Choice:
        """The cheapest of several settings that keeps the objectives.

        Args:
            settings: keys and their values: ``{"service.workers": "1..8"}``.
            keep: objectives, beside those of the file.
            cost: an expression of the keys: ``"workers*1 + pool*0.01"``.
            rate: the load, as Poisson arrivals: ``"120/s"``; else that of the file.
            users: the load, as users.
            max_events: give up after so many events in one run.
            threads: processors to use; the answer is the same with any number.
        """
        options = [f"--choose={axis}" for axis in _axes(settings)]
        given = _some(cost=cost, rate=rate, users=users)
        options += [f"--{name}={value}" for name, value in given.items()]
        few = _effort(_some(max_events=max_events, threads=threads))
        return self._answer(Choice, "size", [*options, *_keep(keep), *few])

    def sweep(
        self,
        vary: Mapping[str, str | Iterable[words.Value]],
        *,
        keep: str | Iterable[str] = (),
        client: distributed.Client | str | None = None,
        ray: bool = False,
        shards: int | None = None,
        **effort: Unpack[Effort],
    ) -> Sweep:
        """The scenario at several values of one or two keys, on all processors.

        With ``client`` or ``ray`` the processors are those of a cluster, and the answer has the
        same bytes. Its workers need this package in the same build. What was sent to a worker that
        dies is computed by another one; one processor computes one shard at a time, or as many as
        ``threads`` says.

        Args:
            vary: keys and their values: ``{"load.users": "50..400:50"}``, or any iterable.
            keep: objectives, beside those of the file.
            client: a client of Dask, or the address of its scheduler: ``"tcp://10.0.0.7:8786"``.
            ray: use the cluster that ``ray.init`` has connected to, or that ``RAY_ADDRESS`` names,
                else the processors of this machine.
            shards: into how many jobs the points are split on a cluster.
            effort: see `Effort`.

        Raises:
            RungError: bad input, or a cluster that cannot be used.

        >>> import rung
        >>> sweep = rung.scenario("v6.toml").sweep({"load.users": [50, 100]}, replications=2)
        >>> [point.values for point in sweep.points]
        [('50',), ('100',)]
        """
        axes = [f"--vary={axis}" for axis in _axes(vary)]
        options = [*axes, *_keep(keep), *_effort(effort)]
        if client is None and not ray:
            if shards is not None:
                raise RungError.because(
                    "shards", "is given without a cluster", advice="name one: client=… or ray=True"
                )
            return self._answer(Sweep, "sweep", options)
        from rung.cluster import gather

        threads = effort.get("threads", 1)
        return Sweep.of_document(
            gather.sweep(self, options, threads, client=client, ray=ray, shards=shards)
        )

    def highest(
        self,
        key: str,
        within: range,
        *,
        keep: str | Iterable[str] = (),
        client: distributed.Client | str | None = None,
        ray: bool = False,
        **effort: Unpack[Effort],
    ) -> Highest:
        """The highest value of a key that keeps the objectives, by as few points as it takes.

        Each of a few sweeps asks for up to eight values at once, between the last that is kept and
        the first that is broken; with ``client`` or ``ray`` the processors of a cluster compute
        them. The answer is the same with and without one. A value above a broken one is not looked
        for: with retries or pools it may be kept again. `size` finds a load with an interval, on
        this machine.

        Args:
            key: a key with whole numbers, such as ``"load.users"``.
            within: its values: ``range(1, 2001)``.
            keep: objectives, beside those of the file.
            client: see `sweep`.
            ray: see `sweep`.
            effort: see `Effort`.

        Raises:
            RungError: bad input, no objective, or a cluster that cannot be used.

        >>> import rung
        >>> v2 = rung.scenario("v2.toml", set={"load.duration": "5s"})
        >>> found = v2.highest("load.users", range(1, 401), keep="p99 < 8s", replications=2)
        >>> found.value is not None and found.broken == found.value + 1
        True
        """
        if within.step < 1 or not within:
            raise RungError.because(
                key, f"has the values {within}", allowed="a range that rises: range(1, 2001)"
            )
        if not _keep(keep) and not self.predict(replications=2).objectives:
            raise RungError.because(
                self.file,
                "has no objective, and none was named",
                allowed="objectives such as `p99 < 800ms`",
                advice="name one: keep='p99 < 800ms', or write [[objective]] into the file",
            )

        def ask(values: Sequence[int]) -> Sweep:
            # As many jobs as points: the next points wait for all of them.
            shards = None if client is None and not ray else len(values)
            vary = {key: values}
            return self.sweep(vary, keep=keep, client=client, ray=ray, shards=shards, **effort)

        return search(key, within, ask)

    def holds(self, *objectives: str, goal: str | None = None, **effort: Unpack[Effort]) -> Verdict:
        """Whether these objectives and those of the file are kept.

        The verdict is true or false, and says with which numbers:
        ``assert rung.scenario("mine.toml").holds("p99 < 800ms")``.

        Args:
            objectives: as for ``keep`` of `predict`.
            goal: what changes are to improve in the explanation; left out, the first number that
                breaks an objective.
            effort: see `Effort`.
        """
        report = self.predict(keep=objectives, **effort)
        if not report.objectives:
            raise RungError.because(
                self.file,
                "has no objective, and none was named",
                allowed="objectives such as `p99 < 800ms`",
                advice="name one: holds('p99 < 800ms'), or write [[objective]] into the file",
            )
        towards = goal or goal_of(report)
        return Verdict(report, lambda: self.explain(keep=objectives, goal=towards, **effort))

    def _answer(self, kind: type[A], command: str, options: list[str]) -> A:
        return kind.of_document(self.ask(command, options))

    def ask(self, command: str, options: Sequence[str], form: str | None = "json") -> bytes:
        """What ``sim`` answers to a command about this scenario, as it is printed."""
        changes = [f"--set={change}" for change in self.changes]
        seed = [] if self.seed is None else [f"--seed={self.seed}"]
        forms = [] if form is None else [f"--format={form}"]
        words = [command, *forms, *changes, *seed, *options, "--", self.file]
        return programs.ask(words, folder=self.folder)


def scenario(
    file: str | os.PathLike[str],
    *,
    set: Mapping[str, words.Value] | None = None,
    seed: int | None = None,
) -> Scenario:
    """The scenario of a file, or of one that is built in, with these keys changed.

    Args:
        file: looked for as given, then under ``scenarios/``, then among those that are built in.
        set: keys and their new values: ``{"service.workers": 4}``.
        seed: root of the random draws, instead of the scenario's own.

    Raises:
        RungError: with every problem of the files and changes.

    >>> import rung
    >>> rung.scenario("v6.toml").check()["scenario"]
    'v6'
    >>> try:
    ...     rung.scenario("v6.toml", set={"service.wokers": 4})
    ... except rung.RungError as error:
    ...     [problem.advice for problem in error.problems]
    ['did you mean `workers`?']
    """
    return Scenario(os.fspath(file), (), seed, os.getcwd()).set(set or {})


def _axes(vary: Mapping[str, str | Iterable[words.Value]]) -> list[str]:
    return [f"{key}={words.values(key, values)}" for key, values in vary.items()]


def _keep(objectives: str | Iterable[str]) -> list[str]:
    each = [objectives] if isinstance(objectives, str) else objectives
    return [f"--keep={objective}" for objective in each]


def _goal(goal: str | None) -> list[str]:
    return [] if goal is None else [f"--goal={goal}"]


def _effort(effort: Mapping[str, Any]) -> list[str]:
    shares = ("precision", "confidence")
    return [
        f"--{name.replace('_', '-')}={words.share(value) if name in shares else value}"
        for name, value in effort.items()
    ]


def _some(**options: Any) -> dict[str, Any]:
    """Those that are given."""
    return {name: value for name, value in options.items() if value is not None}
