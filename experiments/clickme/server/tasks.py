"""Steps of the game that run by themselves on the event loop; one that fails is logged, never lost."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

_log = logging.getLogger("rapidvision.clickme")


class Tasks:
    """The steps that have not ended."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Awaitable[Any]) -> None:
        """Let a step run by itself."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Future[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a step of the game failed", exc_info=error)
