"""Figures of any task: its plans, and what is on the screen."""

from benchmarks import tasks_browser, tasks_planning, tasks_timing
from benchmarks.harness import Suite

suite = Suite([*tasks_planning.suite, *tasks_timing.suite, *tasks_browser.suite])
