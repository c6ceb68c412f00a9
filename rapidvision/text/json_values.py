"""Results as what JSON can hold."""

import math
from dataclasses import asdict, is_dataclass
from pathlib import PurePath
from typing import Any


def plain(value: Any) -> Any:
    """Turn results into what JSON can hold.

    Arrays become lists, data frames lists of rows, NaN and infinities null, data classes, structs and named tuples
    objects, paths text.

    Examples
    --------
    >>> plain({"p": float("nan"), "levels": (1, 2)})
    {'p': None, 'levels': [1, 2]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return plain(value.to_dict("records"))
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # an array, or one number of one
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, PurePath) else value
