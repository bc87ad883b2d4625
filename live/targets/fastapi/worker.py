"""What the requests of this worker process share."""

import asyncio
import threading

from database import Database
from gauge import Stations
from lock import Lock
from plan import Plan, plan
from upstream import Upstream


class Worker:
    """The state of a worker process. Handlers of each kind have libraries of their kind."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.stations = Stations(plan)
        self.database = Database(plan.database, self.stations) if plan.database else None
        self.upstreams = [Upstream(spec, plan, self.stations) for spec in plan.upstreams]
        self.locks = [Lock(spec, plan, self.stations) for spec in plan.locks]
        self.loop: asyncio.AbstractEventLoop | None = None
        self.loop_thread: threading.Thread | None = None

    def settle(self, parts: dict[int, int]) -> None:
        """Shows where a request was that has been answered."""
        for place, nanos in parts.items():
            self.stations.settle(place, nanos)


worker = Worker(plan())
"""The state of this process."""
