"""Numbers that change over time, counted as they happen."""

from threading import Lock
from time import monotonic_ns

from plan import Plan


class Gauge:
    """How many there are, from any thread, and the integral of that over time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._value = self._since = self._area = self._peak = self._entries = 0

    def enter(self) -> None:
        """One more."""
        with self._lock:
            self._settle()
            self._value += 1
            self._entries += 1
            self._peak = max(self._peak, self._value)

    def leave(self) -> None:
        """One fewer."""
        with self._lock:
            self._settle()
            self._value -= 1

    def add(self, nanos: int, entries: int = 1) -> None:
        """Some that were here for so long together and are gone already."""
        with self._lock:
            self._area += nanos
            self._entries += entries

    def read(self) -> dict[str, int]:
        """The gauge now."""
        with self._lock:
            self._settle()
            return {
                "value": self._value,
                "area": self._area,
                "peak": self._peak,
                "entries": self._entries,
            }

    def _settle(self) -> None:
        now = monotonic_ns()
        self._area += self._value * (now - self._since)
        self._since = now

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *_: object) -> None:
        self.leave()


class Stations:
    """What the requests of this worker queue for."""

    def __init__(self, plan: Plan) -> None:
        self.places = [Gauge() for _ in plan.places]
        self._live: set[int] = set()
        self.requests = Gauge()
        self.after = Gauge()
        self.after_failed = Gauge()
        self.threads = Gauge()
        self.writer = Gauge()
        self.pool = Gauge()
        self.pool_waiting = Gauge()
        self.locks = [Gauge() for _ in plan.locks]
        self.rows = [Gauge() for _ in plan.rows]
        self.semaphores = [Gauge() for _ in plan.upstreams]
        self.upstream_connections = [Gauge() for _ in plan.upstreams]

    def live(self, place: int) -> Gauge:
        """The gauge of a place where requests wait long: they are shown while they do."""
        self._live.add(place)
        return self.places[place]

    def settle(self, place: int, nanos: int) -> None:
        """Shows where a request was that has been answered, unless that was shown live."""
        if place not in self._live:
            self.places[place].add(nanos)

    def read(self) -> dict[str, object]:
        """All gauges now, under the parent's names."""
        return {
            "places": [gauge.read() for gauge in self.places],
            "requests": self.requests.read(),
            "after": self.after.read(),
            "after_failed": self.after_failed.read(),
            "threads": self.threads.read(),
            "writer": self.writer.read(),
            "pool": self.pool.read(),
            "pool_waiting": self.pool_waiting.read(),
            "locks": [gauge.read() for gauge in self.locks],
            "rows": [gauge.read() for gauge in self.rows],
            "semaphores": [gauge.read() for gauge in self.semaphores],
            "upstream_connections": [gauge.read() for gauge in self.upstream_connections],
        }
