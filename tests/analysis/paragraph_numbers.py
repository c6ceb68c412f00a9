"""Numbers of a paragraph, looked for in the results that it was written from."""

import re

NUMBER = re.compile(r"(?<![\w.])-?\.?\d[\d,]*(?:\.\d+)*(?:e[-+]?\d+)?")


def leaves(value):
    """Every number of nested objects, and the numbers inside texts such as labels and versions."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(str(key))
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield from (("text", found) for found in NUMBER.findall(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield "number", value


def fits(token, leaf):
    """Whether a number of a text is this leaf, at the digits with which it is written, plain or in per cent."""
    kind, value = leaf
    if kind == "text":
        return token == value
    written = token.replace(",", "")
    if written.count(".") > 1:
        return False
    digits = len(written.partition(".")[2])
    half = 0.5 * 10**-digits * (1 + 1e-9)
    bound = written == ".001" and value < 0.001
    return bound or any(abs(float(written) - value * factor) <= half for factor in (1, 100))


def unknown(text, results):
    found = list(leaves(results))
    return [
        token
        for token in (one.rstrip(",") for one in NUMBER.findall(text))
        if not any(fits(token, leaf) for leaf in found)
    ]
