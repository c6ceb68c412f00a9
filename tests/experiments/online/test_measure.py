"""What the server makes of a measurement: whether the timing was good, bad or not watched, and the status."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.experiments.online.measure import Measurement, Quality, outcome, row, timing_ok
from rapidvision.experiments.planning import make_plans
