"""Answers as dataclasses of published schemas, made by `python/schema/generate.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rung.answer import Answer


@dataclass(frozen=True, kw_only=True)
class Accounting:
    """Every request accounted for: `sent = good + errors + in_flight`."""

    sent: int
    """Requests sent."""

    good: int
    """Answered well."""

    errors: dict[str, int]
    """Ended otherwise, by kind."""

    in_flight: int
    """Neither, when the load ended."""

    dropped: int
    """Arrivals that found every user busy, and were not sent."""


@dataclass(frozen=True, kw_only=True)
class AfterWork:
    """Work after replies: requests that are answered, and of which the worker still has something
    to do.
    """

    in_flight: InFlight
    """Pieces of such work that are under way."""

    throughput: float
    """Pieces that ended per second."""

    seconds: float
    """Mean seconds from the reply to the end of a piece."""

    failed: float
    """Pieces that ended in an error: mean number per run."""

    unfinished: float
    """Pieces under way at the end of a run, which a shutdown waits for or loses: mean number."""

    time: tuple[Part, ...] = ()
    """Where the time of a piece went: mean seconds by place. Empty for a measurement."""


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """Requests per run."""

    sent: float
    """Requests sent, mean per run."""

    dropped: float
    """Arrivals that found every user busy, mean per run."""

    rate: float
    """Requests that came per second of the counted window, dropped ones included."""


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Response times from `from` (inclusive) to `to`: a part of a histogram whose bins are equally
    wide on a logarithmic axis.
    """

    from_: float = field(metadata={"json": "from"})
    """Lower end, in seconds."""

    to: float
    """Upper end, in seconds."""

    share: float
    """Share of the good answers."""


@dataclass(frozen=True, kw_only=True)
class Bottleneck:
    """What to change first, and what then."""

    knob: str
    """The key that `--set` takes; several joined by ` + ` if only their pair helps."""

    gain: float
    """Throughput gained, relative: 0.96 is 96 % more."""

    sentence: str
    """In one sentence."""

    goal: str = ""
    """What the change is judged by: `throughput`, `errors`, `p99`, `endpoint:NAME.p99`."""

    how: str | None = None
    """The change in the words of the stack."""

    kind: KnobKind | None = None
    """A setting, which costs nothing, or hardware; none where nothing is to be changed."""

    path: tuple[Move, ...] = ()
    """Changes one after the other, each on top of those before it; the first is `knob`."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """An upper bound on throughput."""

    name: str
    """What bounds it."""

    law: str
    """The law, in symbols, with its numbers."""

    throughput: float
    """Requests per second."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Retry budgets with which a service recovers."""

    floor: float
    """Retries per second that are allowed beside the share."""

    runs: int
    """Runs of each budget."""

    most: float | None = None
    """The largest with which each run recovered, as a share of the requests; none if not even the
    floor alone is small enough.
    """

    none_from: float | None = None
    """The smallest that was tried with which no run recovered. Between the two, runs differ."""


@dataclass(frozen=True, kw_only=True)
class Class:
    """An endpoint's share of the answer."""

    name: str
    """The endpoint's name."""

    throughput: Estimate
    """Good answers per second."""

    response_time: ResponseTime
    """Response times of good answers."""

    errors: dict[str, float]
    """Answers that were not good, by kind: mean number per run."""

    time: tuple[Part, ...]
    """Where the time of a good answer went: mean seconds by place."""


@dataclass(frozen=True, kw_only=True)
class Connections:
    """The load generator's connections to the service, of all rounds."""

    opened: int
    """Connections that were opened."""

    remade: int
    """Requests that were sent again, on a new connection, because the server had closed or lost the
    old one.
    """

    peak: int
    """Most open at a time."""


@dataclass(frozen=True, kw_only=True)
class DatabaseServer:
    """A database server beside the service, in the counted window. Sessions are those of the
    service, mean over the looks at them.
    """

    version: str
    """Its version; empty for the database of a service of the user's own, of which only CPU time,
    memory and processors are seen.
    """

    cpus: tuple[int, ...]
    """Its processors."""

    utilisation: float
    """CPU time of all its processes as a share of one processor."""

    watching: float
    """CPU time of looking at it, which is not in `utilisation`, as a share of one processor."""

    memory: int
    """Resident memory of its processes at the end, bytes. What they share is counted for each."""

    looks: int
    """How often it was looked at its sessions."""

    sessions_active: float
    """Sessions at a statement, those that wait for a lock included."""

    sessions_idle_in_transaction: float
    """Sessions in a transaction, with no statement under way."""

    sessions_idle: float
    """Sessions with nothing under way."""

    lock_waits: float
    """Sessions that wait for a lock that another holds."""

    sessions_peak: int
    """Most sessions at a look, the warm-up included."""

    counts: ServerCounts | None = None
    """What it counted; none if it did not answer at one end of the window, or was killed in it."""

    faults: tuple[MeasuredFault, ...] = ()
    """Its faults, as they came."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value and its confidence interval."""

    value: float
    """The best guess."""

    low: float
    """Lower end of the confidence interval."""

    high: float
    """Upper end."""


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """Requests sent and not yet answered."""

    mean: Estimate
    """Mean over time."""

    peak: int
    """Highest in any replication."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An interval of time."""

    from_: float = field(metadata={"json": "from"})
    """When it begins, in seconds since the load began, warm-up included."""

    to: float
    """When it ends."""

    sent: float
    """Requests sent per second."""

    good: float
    """Good answers per second."""

    errors: float
    """Requests per second that ended in an error."""

    in_flight: float
    """Requests in flight at its end."""

    p50: float | None = None
    """Half of the good answers in it took at most this many seconds; none without one."""

    p99: float | None = None
    """99 of 100 did; none with fewer than 100."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An objective, and what a report says about it."""

    objective: str
    """The objective: `p99 < 800ms`."""

    state: State
    """Whether it is kept."""

    sure: bool
    """False where the limit lies in the interval of the number, so that another run may say
    otherwise.
    """

    limit: float
    """The limit in the same unit."""

    found: str
    """In words: what was found."""

    high: float | None = None
    """Upper end."""

    low: float | None = None
    """Lower end of its interval; none where no interval is known."""

    value: float | None = None
    """The number: in seconds, per second, as a share, in bytes, or plain. None where the report
    does not tell it, or nothing was answered.
    """


Kind: TypeAlias = Literal["predicted", "measured"]
"""Where a report comes from."""


@dataclass(frozen=True, kw_only=True)
class Knob:
    """A knob that was relaxed, all else and all draws being equal."""

    knob: str
    """The key that `--set` takes."""

    from_: str = field(metadata={"json": "from"})
    """Its value."""

    to: str
    """The value that was tried."""

    throughput: float
    """Throughput with it."""

    gain: Estimate
    """Relative gain of throughput, with its interval from paired replications."""

    response_time_change: Estimate
    """Relative change of the mean response time."""

    reached: bool
    """False if no run came up against the limit: more of it changes nothing at all, and it was not
    simulated.
    """

    how: str | None = None
    """The change in the words of the stack."""

    improvement: Estimate | None = None
    """Relative improvement of the goal: more throughput, or less of errors or time."""

    kind: KnobKind = "setting"
    """A setting or hardware."""


KnobKind: TypeAlias = Literal["setting", "hardware"]
"""What a knob costs to turn."""


@dataclass(frozen=True, kw_only=True)
class LoadAnswer:
    """One of several loads at once, and its share of the answer."""

    name: str
    """The group's name."""

    throughput: Estimate
    """Good answers per second."""

    response_time: ResponseTime
    """Response times of good answers."""

    errors: dict[str, float]
    """Answers that were not good, by kind: mean number per run."""

    sent: float
    """Requests sent, mean per run."""

    dropped: float
    """Arrivals that found every user busy, mean per run."""


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Intervals of the answer that hold what is known of the numbers that were learned, beside the
    noise of the runs.
    """

    draws: int
    """Sets of values that were drawn of all learned numbers with an interval."""

    refused: int
    """Sets that no scenario can have, which are left out."""

    drawn: tuple[str, ...]
    """The learned numbers that were drawn, as their keys."""

    held: tuple[str, ...]
    """Learned numbers of which no interval is known: they stand as they are written."""

    throughput: Estimate
    """Good answers per second."""

    response_time: dict[str, Estimate]
    """Response times of good answers, by name."""

    error_share: Estimate
    """Share of requests that end in an error."""

    swings: tuple[Swing, ...] = ()
    """How the answer changes from one end of each interval to the other, the largest change first;
    empty unless that was asked for.
    """


@dataclass(frozen=True, kw_only=True)
class MeasuredFault:
    """A fault of a database server as it came, in the round where it was worst. Times are in
    seconds.
    """

    database: str
    """`down`, `killed` or `paused`."""

    at: float
    """When it was to begin, from the start of the load."""

    late: float
    """How much later it began."""

    lasted: float | None = None
    """How long until the server took connections again, or went on; none if it did not before the
    window closed.
    """


@dataclass(frozen=True, kw_only=True)
class MeasuredMemory:
    """What parked requests cost."""

    idle: int
    """Before the load."""

    loaded: int
    """At the end of the counted window."""

    requests: int
    """Requests in the service then."""

    per_request: float | None = None
    """Their difference per request; none with fewer than a hundred requests, or with fewer than
    half of the most there were: memory that those took has not been given back.
    """


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How the numbers of a report were measured."""

    target: str
    """What the scenario was run on: `axum` or `fastapi`, or that it is the user's own."""

    started: int
    """When it began: seconds since 1970, UTC."""

    interrupted: bool
    """The run was ended before its time; the numbers are those of the part that was run."""

    inconclusive: tuple[str, ...]
    """Why the numbers prove nothing; empty if they stand."""

    service_cpus: tuple[int, ...]
    """Processors of the service."""

    load_cpus: tuple[int, ...]
    """Processors of the load generator and the mock upstream."""

    pinned: bool
    """The service had its processors to itself, as far as rung can see to it."""

    steal: float
    """Share of the service's processors that the hypervisor took away."""

    others: float
    """Share of the service's processors that other programs used."""

    processes: tuple[Process, ...]
    """Processes of the run and what they used in the counted window."""

    lateness: Spread
    """How late requests were sent: from the intended instant to the first byte."""

    upstream_lateness: Spread
    """How late the mock upstream replied, beyond the latency that was drawn."""

    loop_lag: Spread
    """How long a callback waits for the event loop, sampled at regular times."""

    accounting: Accounting
    """Every request of the run, the warm-up included."""

    memory: MeasuredMemory
    """Resident memory of all workers together."""

    machine: dict[str, str]
    """The machine."""

    versions: dict[str, str]
    """Versions of what was run."""

    connections: Connections = field(
        default_factory=lambda: Connections(opened=0, peak=0, remade=0)
    )
    """The load generator's connections to the service, the warm-up included."""

    database: DatabaseServer | None = None
    """The database server that ran beside the service, if `live` started one."""

    kernel: float = 0.0
    """Share of the service's processors that threads of the kernel used that are bound to them:
    they write the service's files to the disk, and no process is charged for it.
    """

    load_others: float = 0.0
    """The same of the load's processors: what other programs used."""

    load_steal: float = 0.0
    """The same of the load's processors: what the hypervisor took away."""

    malformed: int = 0
    """Good answers of the counted window that said what cannot be of where their time went."""

    speed: Speed | None = None
    """How fast the service's processors were; none if nothing was there to tell."""

    unaccepted: int = 0
    """Connections that the mock upstream could not accept: their callers waited for it."""

    upstreams: tuple[UpstreamCalls, ...] = ()
    """What the mock of each upstream counted, the warm-up included."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Estimated resident memory of the service, in bytes."""

    mean: float
    """Mean over time."""

    peak: float
    """At the highest number of requests in flight."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One change of a path."""

    changes: tuple[Setting, ...]
    """The keys that change, with their values before and after."""

    kind: KnobKind
    """A setting or hardware."""

    improvement: Estimate
    """Relative improvement of the goal over the move before, with its interval."""

    throughput: float
    """Throughput after it."""

    error_share: float
    """Share of errors after it."""

    response_time: float
    """Mean response time after it, in seconds."""

    how: str | None = None
    """The change in the words of the stack."""


@dataclass(frozen=True, kw_only=True)
class OverTime:
    """What happened when: means over runs, by intervals of equal length."""

    runs: int
    """Runs that the numbers are means of; their response times are put together."""

    intervals: tuple[Interval, ...]
    """The intervals, in order."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a mean response time."""

    place: str
    """Where, such as `cpu wait` or `upstream partner semaphore`."""

    seconds: float
    """Mean seconds per good answer."""

    kind: str | None = None
    """Its kind, such as `cpu_wait` or `semaphore`."""

    lock: str | None = None
    """The lock that is waited for there."""

    upstream: str | None = None
    """The upstream that it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process of the run."""

    name: str
    """`worker 0`, `mock upstream`, `load generator`; `live terminal` if somebody looked on."""

    cpu: float
    """CPU time in the counted window, seconds."""

    utilisation: float
    """The same as a share of one processor."""

    memory: int
    """Resident memory at the end, bytes; 0 if it has none of its own."""


@dataclass(frozen=True, kw_only=True)
class Processes:
    """Worker processes that ended and were replaced, on average over runs."""

    killed: float
    """Killed by their supervisor, because they gave no sign of life."""

    recycled: float
    """Ended after as many requests as they were to answer."""

    down: float
    """Share of the workers' time in which they did not serve yet."""


@dataclass(frozen=True, kw_only=True)
class PublishedFigure:
    """What others measured."""

    throughput: float
    """Good answers per second."""

    fitted: bool
    """A cost or knob was chosen so that this figure comes out."""

    note: str
    """What was fitted to it, or why it is a prediction."""

    error: float
    """This report's throughput relative to it, minus one."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Whether a service recovers once a peak of its load is over: whether from some instant on, and
    until the end, 95 % of the requests of each second are answered well.
    """

    last_change: float
    """When the load changed for the last time, in seconds since it began."""

    watched: float
    """Seconds from then to the end."""

    runs: int
    """Runs that were watched."""

    recovered: int
    """Those of them that recovered."""

    answered: float
    """Share of the requests that were answered well in the later half of what was watched."""

    after: Estimate | None = None
    """Seconds from the last change to the recovery, in the runs that did."""

    budget: Budget | None = None
    """The largest retry budget with which it recovers; none if that was not looked for."""


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A setting that removes a standstill."""

    key: str
    """The key that `--set` takes."""

    value: str
    """Its value."""


@dataclass(frozen=True, kw_only=True)
class ResponseTime:
    """Quantiles and moments of a response time."""

    mean: float
    """Mean."""

    p50: float
    """Half are shorter."""

    p90: float
    """Nine of ten are shorter."""

    p95: float
    """95 of 100 are shorter."""

    p99: float
    """99 of 100 are shorter."""

    p999: float
    """999 of 1000 are shorter."""

    max: float
    """The longest seen."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Attempts of clients that retry: mean per run. Good answers and errors are of requests,
    however many attempts each took.
    """

    attempts: float
    """Attempts on the wire, the first of each request included."""

    retries: float
    """Failed attempts that were followed by another."""

    refused: float
    """Failed attempts that were not, for want of budget."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How the numbers came about."""

    replications: int
    """Independent replications."""

    confidence: float
    """Confidence of every interval."""

    warmup: float
    """Seconds at the start that do not count."""

    duration: float
    """Seconds that count."""

    samples: int
    """Good answers counted in all replications."""


@dataclass(frozen=True, kw_only=True)
class RunRange:
    """How much single runs differ."""

    low: float
    """Lowest throughput of a run."""

    high: float
    """Highest."""


@dataclass(frozen=True, kw_only=True)
class ServerCounts:
    """What a database server counts itself, by the second of the counted window. It tells of what a
    session did up to a second late.
    """

    commits: float
    """Transactions that were committed, those of single statements included."""

    rollbacks: float
    """Transactions that were rolled back."""

    deadlocks: float
    """Deadlocks."""

    wal_syncs: float
    """How often the write-ahead log was written to the disk."""

    wal_bytes: float
    """Bytes of the write-ahead log."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A key and its two values."""

    key: str
    """The key that `--set` takes."""

    from_: str = field(metadata={"json": "from"})
    """Its value before."""

    to: str
    """Its value after."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast the processors of a service were, by pieces of work that are always the same. A
    speed is relative to that of the machine on which the work was first timed: 0.5 takes twice as
    long.
    """

    witness: str
    """Which work: only speeds of the same work can be compared."""

    mean: float
    """Mean over kinds of work and over the counted window."""

    low: float
    """The slowest second of the counted windows, of those with several samples."""

    high: float
    """The fastest second likewise."""

    share: float
    """CPU time of the witness as a share of one of the service's processors."""

    kinds: dict[str, WorkTime]
    """By kind of work."""

    over_time: tuple[SpeedSecond, ...] = ()
    """Second by second; empty where several rounds are put together."""


@dataclass(frozen=True, kw_only=True)
class SpeedSecond:
    """The speed in a second of the counted window."""

    from_: float = field(metadata={"json": "from"})
    """When it begins, in seconds from the opening of the window."""

    count: int
    """How often the work was done in it."""

    speed: float
    """The speed."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Quantiles of a time that should be short, in seconds."""

    count: int
    """How many were seen."""

    mean: float
    """Mean."""

    p50: float
    """Half are shorter."""

    p99: float
    """99 of 100 are shorter."""

    max: float
    """The longest."""


@dataclass(frozen=True, kw_only=True)
class Standstill:
    """A cycle of waits: all connections of a worker were held by requests that waited for a thread
    or for another connection, all its threads by requests that waited for a connection.
    """

    runs: float
    """Share of the runs that had one, their warm-up included."""

    first: float
    """When the first began, in seconds since the start of a run."""

    seconds: float
    """Seconds in which a worker stood still, in a run that had one."""

    longest: float
    """The longest without a request that gave up, in seconds."""

    connections: int
    """Connections of a worker, all of them held."""

    connections_waiting_for_a_thread: int
    """Most of them held by requests that waited for a thread."""

    connections_waiting_for_a_connection: int
    """Most of them held by requests that waited for another connection."""

    threads_waiting_for_a_connection: int
    """Most threads held by requests that waited for a connection."""

    endless: bool
    """One lasted to the end of a run."""

    remedies: tuple[Remedy, ...]
    """Settings, each of which removes it."""

    ended_by: str | None = None
    """The key of the patience that ends it; none if nothing does."""

    locks: tuple[str, ...] = ()
    """Locks, all held by requests that waited for one of them, for a connection or for a thread."""

    rows: tuple[str, ...] = ()
    """Rows of the database: requests that waited for one of them waited through its holder."""


State: TypeAlias = Literal["kept", "broken", "unknown"]
"""Whether an objective is kept."""


@dataclass(frozen=True, kw_only=True)
class Station:
    """A station over the counted window."""

    name: str
    """Its name, such as `cpu` or `upstream partner semaphore`."""

    utilisation: float
    """Mean share of the capacity in use; for a station without one, zero."""

    utilisation_interval: Estimate
    """Interval of the utilisation."""

    in_flight_mean: float
    """Mean number of requests here, waiting and in service."""

    waiting_time_mean: float
    """Mean waiting time per visit, in seconds."""

    visits: float
    """Visits per second."""

    capacity: int | None = None
    """How many it serves at a time; none if unlimited."""

    kind: str | None = None
    """Its kind, such as `cpu` or `semaphore`."""

    lock: str | None = None
    """The lock that it is."""

    row: str | None = None
    """The rows of the database that it is."""

    upstream: str | None = None
    """The upstream that it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Swing:
    """What one learned number does to the answer."""

    key: str
    """Its key."""

    low: str
    """Lower end of its interval, as text."""

    high: str
    """Upper end."""

    throughput: tuple[float, ...]
    """Good answers per second at either end."""

    p99: tuple[float, ...]
    """P99 of the response time at either end, in seconds."""


@dataclass(frozen=True, kw_only=True)
class UpstreamCalls:
    """Calls of an upstream as its mock counted them, of all rounds."""

    name: str
    """The upstream's name."""

    calls: int
    """Calls that came."""

    failures: int
    """Those of them that failed, as drawn."""

    abandoned: int
    """Those of them whose caller went away before the reply."""

    refused: int = 0
    """Those that it refused because its queue was full."""


@dataclass(frozen=True, kw_only=True)
class WorkTime:
    """CPU time of one piece of work, in seconds: the mean of the fastest nine in ten, since what an
    interrupt adds says nothing of the speed.
    """

    count: int
    """How often it was done."""

    cold: float
    """With what the service has left in the caches."""

    warm: float
    """Right after that, with all in the caches. Speeds are made of this time."""

    speed: float
    """The speed."""


@dataclass(frozen=True, kw_only=True)
class WorkerShare:
    """What falls to one worker."""

    answers: float
    """Its share of the good answers."""

    connections: float
    """Client connections that it has, mean over time."""

    cpu: float
    """Processors that its threads use."""

    busy: float
    """Share of the time in which its loop is at work."""

    lag: float
    """Mean time that a callback waits for its loop, in seconds: the loop's lag."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Answer, rows="classes"):
    """What a run answers."""

    schema: int
    """Version of this form."""

    kind: Kind
    """Predicted or measured."""

    scenario: str
    """Name of the scenario."""

    seed: int
    """Root of the random draws."""

    digest: str
    """Digest of the resolved scenario and its costs: equal digests, equal inputs."""

    run: Run
    """How the numbers came about."""

    throughput: Estimate
    """Good answers per second."""

    response_time: ResponseTime
    """Response times of good answers."""

    response_time_intervals: dict[str, Estimate]
    """Confidence intervals of the response times, under the same names."""

    errors: dict[str, float]
    """Answers that were not good, by kind: mean number per run."""

    error_share: float
    """Share of requests sent that ended in an error."""

    in_flight: InFlight
    """Requests in flight."""

    arrivals: Arrivals
    """Requests per run: sent, dropped."""

    classes: tuple[Class, ...]
    """The same by endpoint."""

    stations: tuple[Station, ...]
    """What requests queue for."""

    time: tuple[Part, ...]
    """Where the time of a good answer went: mean seconds by place. The parts add up to the mean
    response time.
    """

    memory: Memory
    """Estimate of the service's resident memory."""

    bounds: tuple[Bound, ...]
    """Upper bounds on throughput by operational laws."""

    after: AfterWork | None = None
    """Work that goes on after replies were sent; none where no endpoint has such work."""

    bottleneck: Bottleneck | None = None
    """The limit that gains most when relaxed; none if nothing was tried or gains."""

    cut_short: bool = False
    """The slow requests had not ended when the window closed: the response times are those of the
    quick ones.
    """

    distribution: tuple[Bin, ...] = ()
    """How the response times of good answers are distributed; empty where that is not told."""

    falls_behind: Estimate | None = None
    """Where an open load comes faster than it is served: by how many the requests that wait become
    more each second. None where the service keeps up. The users of a closed load wait for their
    replies: there it is the work after replies that becomes more.
    """

    groups: tuple[LoadAnswer, ...] = ()
    """The same by group, where the load has several."""

    knobs: tuple[Knob, ...] = ()
    """Every knob that was relaxed, ranked."""

    margins: Margins | None = None
    """Intervals that hold what is known of the learned numbers, too; none where the scenario has no
    learned number with an interval.
    """

    measurement: Measurement | None = None
    """How the numbers were measured; none for a prediction."""

    objectives: tuple[Judged, ...] = ()
    """What the service is to keep, and whether it does; empty where no objective is given."""

    over_time: OverTime | None = None
    """What happened when; none if that was not asked for."""

    processes: Processes | None = None
    """Worker processes that ended while the service ran; none if none did."""

    published: PublishedFigure | None = None
    """What others measured."""

    question: str | None = None
    """The question that it asks."""

    recovery: Recovery | None = None
    """Whether the service recovers from a peak of its load; none if the load has none."""

    retries: Retries | None = None
    """Attempts of clients that retry; none where they do not."""

    rounds: tuple[Report, ...] = ()
    """Each round of a measurement, or replication of a prediction, by itself: those that the
    numbers above are of, in order. Each has the seed of its own draws, so that rounds of two
    reports with the same seed saw the same load. Empty if there was only one, or if replications
    were too many to be kept apart.
    """

    runs: RunRange | None = None
    """Good answers per second of the slowest and of the fastest run; none of a single run."""

    standstill: Standstill | None = None
    """Requests that held connections and threads waited for each other; none if that never was."""

    untold: tuple[str, ...] = ()
    """Numbers and parts that the source of a measurement does not tell, by their names here: `p99`,
    `in_flight`, `stations`; `other_stations` if of the stations that are listed only the
    utilisation is known, and of others nothing; `error_kinds` if errors are only counted together,
    and `noise` if nothing says how much runs differ. They are zero or empty, and say nothing.
    """

    warnings: tuple[str, ...] = ()
    """What a reader should know before trusting the numbers."""

    workers: tuple[WorkerShare, ...] = ()
    """Each worker by itself, the one with most answers first: means over the runs. Empty for a
    single worker, and for a measurement.
    """


@dataclass(frozen=True, kw_only=True)
class Program:
    """What an endpoint's requests do."""

    endpoint: str
    """The endpoint's name."""

    concurrency: str
    """Its concurrency model."""

    steps: tuple[ProgramLine, ...]
    """Its steps, in order."""

    cpu: float
    """Seconds of CPU of all steps."""

    share: float | None = None
    """Its share of the requests; not known ahead where groups of the load have a mix of their own.
    """


@dataclass(frozen=True, kw_only=True)
class ProgramLine:
    """One step."""

    depth: int
    """How deep it is among parallel branches."""

    what: str
    """What is done."""

    cpu: float
    """Mean seconds of CPU."""

    wait: float
    """Mean seconds of waiting for what is outside: disk, upstream, database server."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Explanation(Report, rows="knobs"):
    """Why the service does what it does: the report, and what its requests are made of."""

    programs: tuple[Program, ...]
    """What the requests of each endpoint do."""


LadderKind: TypeAlias = Literal["ladder", "comparison"]
"""What stands side by side."""


@dataclass(frozen=True, kw_only=True)
class Multiples:
    """Throughput relative to other rungs; none where the other has no good answers."""

    first: float | None = None
    """To the first."""

    previous: float | None = None
    """To the one before; none for the first."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Rung(Report):
    """A rung, or a saved report, with its answer."""

    name: str
    """The rung's name."""

    file: str
    """Its file, or that of the report."""

    changes: tuple[Turn, ...]
    """The keys that differ from the rung before."""

    multiples: Multiples
    """Throughput relative to other rungs."""

    turned: str | None = None
    """What it turns, in words; none for the first rung, and for reports."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A key that differs from the rung before."""

    key: str
    """The key."""

    from_: str | None = None
    """Its value there, if any."""

    to: str | None = None
    """Its value here, if any."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Ladder(Answer, rows="rungs"):
    """The document for programs: a ladder, or reports side by side."""

    schema: int
    """Version of this form."""

    kind: LadderKind
    """What stands side by side."""

    scenario: str
    """Name of the last rung's scenario; empty for a comparison."""

    rungs: tuple[Rung, ...]
    """The rungs, the first one at the bottom of the ladder; or the reports."""


@dataclass(frozen=True, kw_only=True)
class Breaks:
    """What breaks, and where it gets tight."""

    load: float
    """The load at which it is broken; of headroom, how many times as much as in the scenario."""

    sentence: str
    """In one sentence."""

    full: tuple[Full, ...] = ()
    """What is full there, the fullest first."""

    objective: Judged | None = None
    """The objective; none if requests come faster than they are served, whatever the objectives."""


@dataclass(frozen=True, kw_only=True)
class First:
    """What to change first to take more load: under the load at which an objective breaks, or where
    no load keeps all, under the one that is nearest.
    """

    knob: str
    """The key that `--set` takes; several joined by ` + ` if only their pair helps."""

    gain: float
    """Throughput gained, relative: 0.96 is 96 % more."""

    sentence: str
    """In one sentence."""

    goal: str = ""
    """What the change is judged by: `throughput`, `errors`, `p99`, `endpoint:NAME.p99`."""

    holds: Estimate | None = None
    """With the change: the highest load with which all objectives are kept, as in `Size::holds`."""

    how: str | None = None
    """The change in the words of the stack."""

    kind: KnobKind | None = None
    """A setting, which costs nothing, or hardware; none where nothing is to be changed."""

    path: tuple[Move, ...] = ()
    """Changes one after the other, each on top of those before it; the first is `knob`."""

    unbroken: float | None = None
    """With the change: the highest load that was tried, if all objectives are kept there."""


@dataclass(frozen=True, kw_only=True)
class Full:
    """A station that is full, or nearly so."""

    name: str
    """Its name, such as `cpu` or `upstream partner semaphore`."""

    utilisation: float
    """Share in use."""

    kind: str | None = None
    """Its kind, such as `cpu` or `semaphore`."""

    lock: str | None = None
    """The lock that it is."""

    row: str | None = None
    """The rows of the database that it is."""

    upstream: str | None = None
    """The upstream that it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """How much worse one thing may become, all else as it is, before an objective breaks."""

    what: str
    """What it is, in words: `load`, `latency of partner (P50)`, `CPU time (cpu.speed)`."""

    key: str
    """The key whose value is told: `upstream.partner.latency.p50`."""

    now: str
    """Its value in the scenario."""

    breaks: Breaks | None = None
    """What breaks first beyond it; of objectives that no value keeps, what is broken."""

    check: Level | None = None
    """Where all are surely kept, on runs with other seeds."""

    holds: Reach | None = None
    """How far it may go; none if no value keeps the objectives, if none that was tried breaks one,
    or if nothing can be told (then there is neither `unbroken` nor `breaks`).
    """

    levels: tuple[Level, ...] = ()
    """All values that were tried, as factors, in order; of the load they are those of the answer.
    """

    unbroken: Turned | None = None
    """The farthest that was tried, if all objectives are kept there."""

    warnings: tuple[str, ...] = ()
    """What a reader should know before trusting it."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """A load that was tried."""

    load: float
    """Requests per second, or users; of headroom, how many times as much as in the scenario."""

    replications: int
    """Runs."""

    kept: bool
    """All objectives are kept, and an open load is served as fast as it comes."""

    sure: bool
    """The intervals of all numbers say so, too."""

    objectives: tuple[Judged, ...]
    """Each objective."""

    falls_behind: bool = False
    """An open load comes faster than it is served."""


LoadKind: TypeAlias = Literal["rate", "users"]
"""What load was looked for."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far something may go: an answer and its interval."""

    kept: Turned
    """Here all objectives are surely kept."""

    about: Turned
    """Here the numbers themselves cross a limit."""

    broken: Turned
    """Here an objective is surely broken."""


@dataclass(frozen=True, kw_only=True)
class Turned:
    """A value of something that is turned."""

    times: float
    """How many times as much as in the scenario; of the CPU, how many times the CPU time."""

    value: str
    """The value of the key."""

    set: tuple[str, ...]
    """What to give to `--set`, each by itself, for a scenario with it."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Size(Answer, rows="levels"):
    """The answer of `sim size`."""

    schema: int
    """Version of this form."""

    kind: Kind
    """Predicted."""

    scenario: str
    """Name of the scenario."""

    seed: int
    """Root of the random draws."""

    digest: str
    """Digest of the resolved scenario and its costs."""

    load: LoadKind
    """What was looked for: a rate, or a number of users."""

    objectives: tuple[str, ...]
    """The objectives, as in `p99 < 800ms`."""

    confidence: float
    """Confidence of every interval."""

    levels: tuple[Level, ...]
    """All loads that were tried, in order."""

    breaks: Breaks | None = None
    """What breaks first above it; of objectives that no load keeps, what is broken."""

    check: Level | None = None
    """The lower end of `holds` on runs with other seeds."""

    exceptions: tuple[Level, ...] = ()
    """Loads below `holds` that break an objective and loads above it that keep all: then the
    objectives do not simply get worse with the load.
    """

    first: First | None = None
    """What to change first to take more load; told where no load keeps the objectives, or where it
    was asked for.
    """

    headroom: tuple[Headroom, ...] = ()
    """How much of the load, of each upstream's latency and of the CPU is left under the load of the
    scenario before an objective breaks; empty unless that was asked for.
    """

    holds: Estimate | None = None
    """The highest load with which all objectives are kept, per second or in users, and its
    interval: at its lower end they are surely kept, at its upper end one is surely broken. None if
    no load keeps them, or if none that was tried breaks one.
    """

    throughput: Estimate | None = None
    """Good answers per second at the highest load that holds."""

    unbroken: float | None = None
    """The highest load that was tried, if all objectives are kept there."""

    warnings: tuple[str, ...] = ()
    """What a reader should know before trusting the answer."""


@dataclass(frozen=True, kw_only=True)
class Attempt(Level):
    """A setting that was tried."""

    values: tuple[str, ...]
    """In the order of the keys."""

    cost: float
    """What it costs."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A key and the values that it is given, in order."""

    key: str
    """The key."""

    values: tuple[str, ...]
    """At least two values, each as it was written."""


@dataclass(frozen=True, kw_only=True)
class Nearest(Attempt):
    """How near a setting comes that breaks an objective."""

    breaks: Breaks
    """The objective that it breaks."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Choice(Answer, rows="tried"):
    """The answer of `sim size --choose`."""

    schema: int
    """Version of this form."""

    kind: Kind
    """Predicted."""

    scenario: str
    """Name of the scenario."""

    seed: int
    """Root of the random draws."""

    digest: str
    """Digest of the resolved scenario and its costs, before a setting is chosen."""

    load: str
    """The load in words: `120 requests/s`."""

    objectives: tuple[str, ...]
    """The objectives, as in `p99 < 800ms`."""

    confidence: float
    """How sure it is that the chosen setting keeps them; and that no cheaper one does, but for
    those under `undecided`.
    """

    keys: tuple[Axis, ...]
    """The keys, and the values that may be chosen."""

    cost: str
    """What a setting costs: an expression of the keys."""

    settings: int
    """Settings that may be chosen."""

    tried: tuple[Attempt, ...]
    """All settings that were tried, in the order of their cost; runs of the search."""

    chosen: Attempt | None = None
    """The cheapest setting that surely keeps all objectives, as runs with other seeds than those of
    the search say; none if there is none.
    """

    nearest: Nearest | None = None
    """Where none is chosen: the setting that comes nearest."""

    one_worker_less: Attempt | None = None
    """The chosen setting with one worker less; none if it has one alone."""

    refused: int = 0
    """Of those, how many the rules of scenarios do not allow."""

    undecided: tuple[Attempt, ...] = ()
    """Cheaper settings, or without a chosen one any, of which runs cannot tell whether they keep
    all.
    """

    untried: int = 0
    """Dearer settings that were not tried since the events of the search were used up."""

    warnings: tuple[str, ...] = ()
    """What a reader should know before trusting the answer."""


@dataclass(frozen=True, kw_only=True)
class KneeAt:
    """At this value: the step behind it does not pay."""

    at: str
    """At this value: the step behind it does not pay."""


Knee: TypeAlias = KneeAt | Literal["before", "behind", "unknown"]
"""Where the knee of a curve is."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Points that differ in the first key alone."""

    knee: Knee
    """Where throughput bends."""

    at: str | None = None
    """The value of the second key, if there is one."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value of each key."""

    values: tuple[str, ...]
    """In the order of the keys, as they were written."""

    replications: int
    """Runs."""

    throughput: Estimate
    """Good answers per second."""

    error_share: float
    """Share of requests that ended in an error."""

    error_interval: Estimate
    """Interval of the share of errors."""

    cpu: float | None = None
    """Share of the CPU in use."""

    cut_short: bool = False
    """Slow requests are still in flight when the counted window ends: response times are too short
    here.
    """

    falls_behind: bool = False
    """Requests come faster than they are served: the longer the run, the longer they wait."""

    full: str | None = None
    """The station that is full."""

    objectives: tuple[Judged, ...] = ()
    """Each objective."""

    p50: Estimate | None = None
    """Response time that half stay below, in seconds; none without a good answer."""

    p95: Estimate | None = None
    """Response time that 95 of 100 stay below, in seconds; none without a good answer."""

    p99: Estimate | None = None
    """Response time that 99 of 100 stay below, in seconds; none without a good answer."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Sweep(Answer, rows="points"):
    """A scenario at several values of one or two keys, predicted."""

    schema: int
    """Version of this form."""

    kind: Kind
    """Predicted."""

    scenario: str
    """Name of the scenario."""

    seed: int
    """Root of the random draws, the same at every point."""

    digest: str
    """Digest of the resolved scenario and its costs, before a key is varied."""

    axes: tuple[Axis, ...]
    """The keys that are varied, and their values; one or two."""

    confidence: float
    """Confidence of every interval."""

    wanted: int
    """Points that were asked for. Fewer are listed where the sweep was interrupted."""

    points: tuple[Point, ...]
    """In the order of the values, those of the second key fastest."""

    lines: tuple[Line, ...]
    """Where throughput bends along the first key: once, or for each value of the second key."""

    objectives: tuple[str, ...] = ()
    """The objectives, as in `p99 < 800ms`."""

    warnings: tuple[str, ...] = ()
    """What a reader should know before trusting the answer."""
