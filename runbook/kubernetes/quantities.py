"""Kubernetes quantities of memory, such as 512Mi and 1G, as numbers of bytes.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import math
import re
from fractions import Fraction

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
_WHOLE = _BINARY | _DECIMAL
_FACTORS: dict[str, int | Fraction] = {"m": Fraction(1, 1000), **_WHOLE}
_QUANTITY = re.compile(
    r"(?P<number>\d+(?:\.\d*)?|\.\d+)(?:[eE](?P<exponent>[+-]?\d{1,2})|(?P<suffix>[KMGTPE]i|[mkMGTPE]?))",
    re.ASCII,
)


def memory_bytes(quantity: str) -> int:
    """How many bytes a quantity stands for, rounded up.

    Raises:
        ValueError: it is no quantity.
    """
    found = _QUANTITY.fullmatch(quantity.strip())
    if found is None:
        raise ValueError(f"{quantity!r} is not an amount of memory: write 512Mi or 1Gi")
    exponent = found["exponent"]
    factor = _FACTORS[found["suffix"]] if exponent is None else Fraction(10) ** int(exponent)
    return math.ceil(Fraction(found["number"]) * factor)


def as_quantity(amount: int) -> str:
    """A positive number of bytes in the largest unit that divides it, as the API server would give it back.

    It is 1Gi there, whoever has written 1024Mi.
    """
    size, suffix = max((size, suffix) for suffix, size in _WHOLE.items() if amount % size == 0)
    return f"{amount // size}{suffix}"
