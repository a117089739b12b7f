"""Amounts of memory are read as Kubernetes reads them, and written as it writes them."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.kubernetes.quantities import as_quantity, memory_bytes

MEBI, GIBI = 2**20, 2**30

# The first rows are the examples of https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# and https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
DOCUMENTED = [
    ("128974848", 128_974_848),
    ("129e6", 129_000_000),
    ("129M", 129_000_000),
    ("128974848000m", 128_974_848),
    ("123Mi", 123 * MEBI),
    ("64Mi", 64 * MEBI),
    ("512Mi", 512 * MEBI),
    ("1.5Gi", 1536 * MEBI),
    ("0.5Gi", 512 * MEBI),
    ("1Gi", GIBI),
    ("1G", 10**9),
    ("1e3", 1000),
    ("1E3", 1000),
    ("1E", 10**18),
    ("1k", 1000),
    ("12E+2", 1200),
    ("400m", 1),  # a slip for 400Mi that Kubernetes takes: less than a byte, rounded up
    ("1500e-3", 2),
    (".5Mi", MEBI // 2),
    ("1.", 1),
    ("0", 0),
    (" 1Gi\n", GIBI),
]


@pytest.mark.parametrize(("quantity", "amount"), DOCUMENTED)
def test_quantity_is_read_as_kubernetes_reads_it(quantity: str, amount: int) -> None:
    """Binary and decimal suffixes, exponents, fractions and thousandths; parts of a byte count as one."""
    assert memory_bytes(quantity) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Mi",
        "1GB",
        "1gi",
        "1KI",
        "512 Mi",
        "-1Gi",
        "1,5Gi",
        "1e",
        "1e3Mi",
        "0x10",
        "\u0661Gi",
        "1e999999999",
    ],
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """A slip is told with an example, and an absurd exponent is not worked out for minutes."""
    with pytest.raises(ValueError, match="is not an amount of memory: write 512Mi or 1Gi"):
        memory_bytes(text)


SUFFIXES = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
}


@given(
    number=st.decimals(min_value=0, max_value=10**6, places=3, allow_nan=False),
    suffix=st.sampled_from(sorted(SUFFIXES)),
)
def test_any_number_with_any_suffix_is_that_many_bytes(number: Decimal, suffix: str) -> None:
    """The number times its unit, rounded up to whole bytes."""
    assert memory_bytes(f"{number}{suffix}") == math.ceil(number * SUFFIXES[suffix])


@given(st.integers(0, 10**6), st.integers(-3, 12))
def test_exponent_counts_zeros(number: int, exponent: int) -> None:
    """`1e3` is 1000, and a negative exponent divides."""
    wanted = number * 10**exponent if exponent >= 0 else -(-number // 10**-exponent)
    assert memory_bytes(f"{number}e{exponent}") == wanted


@given(st.integers(1, 2**63 - 1))
def test_amount_survives_writing_and_reading(amount: int) -> None:
    """No byte is lost, and what was written is written the same again."""
    written = as_quantity(amount)
    assert memory_bytes(written) == amount
    assert as_quantity(memory_bytes(written)) == written


@pytest.mark.parametrize(
    ("given_as", "stored_as"),
    [
        ("1024Mi", "1Gi"),
        ("1Gi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1536Mi", "1536Mi"),
        ("1048576Ki", "1Gi"),
        ("1000M", "1G"),
        ("2e9", "2G"),  # and not 1953125Ki
        ("129e6", "129M"),
        ("1000001", "1000001"),
    ],
)
def test_amount_is_written_as_the_api_server_would(given_as: str, stored_as: str) -> None:
    """The largest unit that fits without a fraction: what is read back equals what was sent."""
    assert as_quantity(memory_bytes(given_as)) == stored_as
