"""A lock of the application, for handlers of either kind."""

import asyncio
import threading
from typing import Any

from fault import Fault
from gauge import Stations
from plan import Plan


class Lock:
    """A lock: `asyncio`'s for handlers that await, `threading`'s for those that block."""

    def __init__(self, spec: dict[str, Any], plan: Plan, stations: Stations) -> None:
        self._name: str = spec["name"]
        self._timeout: float | None = spec["timeout"]
        self.place = plan.place("lock", self._name)
        self.waiting = stations.live(self.place)
        self.held = stations.locks[plan.locks.index(spec)]
        self.blocking = threading.Semaphore(spec["holders"])
        self.parked = asyncio.Semaphore(spec["holders"])

    def take(self) -> None:
        """Waits for it with the thread."""
        with self.waiting:
            if not self.blocking.acquire(timeout=self._timeout):
                raise self._late()

    async def take_parked(self) -> None:
        """Waits for it on the loop."""
        with self.waiting:
            try:
                async with asyncio.timeout(self._timeout):
                    await self.parked.acquire()
            except TimeoutError as error:
                raise self._late() from error

    def _late(self) -> Fault:
        return Fault("lock_timeout", f"the lock {self._name} is not free")
