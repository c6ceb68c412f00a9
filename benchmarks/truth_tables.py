"""Tables of other programs: each right, or refused with row and remedy; none silently wrong.

The forms are written by pandas, csv, json and sqlite3 from one experiment of known accuracy (seed 14, the standard library's
generator). They stand in ``tests/analysis/foreign_files.py`` and ``foreign_values.py``.
"""

import tempfile
from pathlib import Path

from benchmarks.harness import Suite, at_least, at_most
from tests.analysis.foreign_cases import CASES, failure
from tests.analysis.foreign_files import FILES
from tests.analysis.foreign_tables import Form, outcome
from tests.analysis.foreign_values import VALUES

suite = Suite()


def _failures(forms: tuple[Form, ...]) -> list[str]:
    found = []
    for form in forms:
        with tempfile.TemporaryDirectory() as folder:
            if wrong := outcome(form, Path(folder)):
                found.append(f"{form.name}: {wrong}")
    return found


@suite.figure("forms of other programs' tables (seed 14)", unit="forms", bar=at_least(90))
def forms() -> float:
    return len(FILES) + len(VALUES)


@suite.figure("forms of files neither right nor refused as they must", unit="forms", bar=at_most(0))
def files() -> float:
    return len(_failures(FILES))


@suite.figure("forms of values neither right nor refused as they must", unit="forms", bar=at_most(0))
def values() -> float:
    return len(_failures(VALUES))


@suite.figure("files of other programs (tests/analysis/cases)", unit="files", bar=at_least(25))
def case_files() -> float:
    return len(CASES)


@suite.figure("of them neither right nor refused with file and remedy", unit="files", bar=at_most(0))
def cases() -> float:
    return sum(bool(failure(case)) for case in CASES)
