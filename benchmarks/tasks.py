"""Figures of any task: its plans, what is on the screen and in the browser, replayed journals, recovered parameters."""

from benchmarks import tasks_browser, tasks_planning, tasks_recovery, tasks_replay, tasks_timing
from benchmarks.harness import Suite

PARTS = (tasks_planning, tasks_timing, tasks_browser, tasks_replay, tasks_recovery)
suite = Suite([figure for part in PARTS for figure in part.suite])
