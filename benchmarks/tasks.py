"""Figures of any task: its plans, what is on the screen, and what comes back of simulated observers."""

from benchmarks import tasks_planning, tasks_recovery, tasks_replay, tasks_timing
from benchmarks.harness import Suite

suite = Suite([*tasks_planning.suite, *tasks_timing.suite, *tasks_replay.suite, *tasks_recovery.suite])
