"""Coroutines in tests: always in a thread of their own, because a browser fixture keeps a loop running in the main one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run(coroutine):
    """Run a coroutine to its end and return its result."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


class Loop:
    """An event loop in a thread of its own, for tests that use it in several steps."""

    def __enter__(self):
        self._pool, self._loop = ThreadPoolExecutor(1), asyncio.new_event_loop()
        return self

    def run(self, coroutine):
        return self._pool.submit(self._loop.run_until_complete, coroutine).result()

    def __exit__(self, *_):
        self._pool.submit(self._loop.close).result()
        self._pool.shutdown()
