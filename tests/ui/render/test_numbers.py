from hypothesis import given
from hypothesis import strategies as st

from m2rec.ui.render.numbers import SMALLEST, amount, decimal, signed


def test_numbers_are_written_so_that_they_can_be_reckoned_with() -> None:
    assert [decimal(share) for share in (1, 0.92129, 0.5, 0.00004, 0.000025, 0.0, 1e-9)] == [
        "1.0000", "0.9213", "0.5000", "0.000040", "0.000025", "0.0000", "< 0.00001",
    ]  # fmt: skip
    assert [signed(number) for number in (1.974, -0.4, 0.001, -0.001)] == ["+1.97", "−0.40", "0.00", "0.00"]
    assert [amount(number) for number in (0.4217, 12.34, 2985.4)] == ["0.422", "12.3", "2,985"]


@given(st.floats(SMALLEST, 1))
def test_a_decimal_is_off_by_half_its_last_digit_at_most(share: float) -> None:
    places = len(decimal(share).split(".")[1])
    assert abs(float(decimal(share)) - share) <= 0.5001 * 10**-places
