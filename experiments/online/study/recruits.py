"""Who a link says that somebody is: the recruitment service and its ids, nothing else of the address."""

import re
from collections.abc import Mapping, Sequence

from ...web.app import Problem
from .settings import ID_PARAMETERS, Service

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def who_comes(given: Mapping[str, str], services: Sequence[Service]) -> tuple[str, dict[str, str]]:
    """Return the recruitment service and the allowed ids of a link.

    Parameters
    ----------
    given : mapping
        Parameter of the link → value.
    services : sequence of {"prolific", "mturk", "sona", "link"}
        Allowed ways in, in order.

    Raises
    ------
    Problem
        400 for an id that no service gives out, and for a link without one where one is needed.

    Examples
    --------
    >>> who_comes({"PROLIFIC_PID": "a1", "x": "y"}, ["prolific"])
    ('prolific', {'PROLIFIC_PID': 'a1'})
    """
    for service in services:
        names = ID_PARAMETERS[service]
        if names[0] in given:
            ids = {name: given[name] for name in names if name in given}
            if all(_ID.fullmatch(value) for value in ids.values()):
                return service, ids
            text = "The link is damaged: its id has letters that no id has. Use it as you got it."
            raise Problem(400, "bad_id", text)
    if "link" not in services:
        raise Problem(400, "no_id", "The link is incomplete: open the study from where you found it.")
    return "link", {}
