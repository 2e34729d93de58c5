"""How stable the advice is: the resampling beside one that draws real customers, and what earlier cutoffs advised."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import churnkit as ck
from churnkit.cli.app import run
from churnkit.customers.returns import advise_windows, days_to_return
from churnkit.customers.snapshot import customer_silences
from churnkit.customers.stability import GroupCounts, Stability, advice_stability, resampled_gaps
from hand_lines import orders_of
from worlds import shop

CUTOFF = date(2023, 6, 1)


def stability(orders: pl.DataFrame, cutoff: date = CUTOFF, *, seed: int = 0) -> Stability:
    return advice_stability(orders, advise_windows(orders, cutoff=cutoff), cutoff=cutoff, seed=seed)


def test_a_resample_is_the_typical_gap_of_the_customers_that_were_drawn() -> None:
    """Against silences that are really repeated: the same draws, no counting."""
    rng, longest, customers = np.random.default_rng(3), 40, 25
    who = np.sort(rng.integers(0, customers, 120))
    lasted, returned = rng.integers(1, 60, 120), rng.random(120) < 0.6
    counts = GroupCounts(np.zeros((customers, longest + 2)), np.zeros((customers, longest + 2)))
    for customer, days, ended in zip(who, lasted, returned, strict=True):
        counts.seen[customer, min(days, longest + 1)] += 1
        counts.ended[customer, min(days, longest)] += ended and days <= longest
    draws = np.random.default_rng(7).multinomial(customers, np.full(customers, 1 / customers), size=50)
    repeated = [
        days_to_return(np.repeat(lasted, times[who]), np.repeat(returned, times[who]), 0.8, within_days=longest)
        for times in draws
    ]
    assert resampled_gaps(counts, 50, seed=7) == repeated
    assert len(set(repeated)) > 5


def test_the_interval_is_as_wide_as_that_of_other_shops_of_the_same_kind() -> None:
    """Two hundred shops drawn from one world: the interval of one of them has their spread."""
    gaps = [advise_windows(shop(250, seed=seed), cutoff=CUTOFF).typical_gap_days or 0 for seed in range(100, 140)]
    low, high = np.quantile(gaps, [0.05, 0.95])
    found = [stability(shop(250, seed=seed)) for seed in range(100, 108)]
    widths = [(each.typical_gap_high_days or 0) - (each.typical_gap_low_days or 0) for each in found]
    assert np.mean(widths) == pytest.approx(high - low, rel=0.35)


def test_random_groups_of_customers_spread_as_the_customers_do() -> None:
    """2,000 customers are drawn in 500 groups; drawn one by one, the interval is about as wide."""
    orders, longest = shop(2000, seed=9), 344
    advice = advise_windows(orders, cutoff=CUTOFF)
    assert 2 * advice.history_days // 3 == longest
    seen = customer_silences(orders, cutoff=CUTOFF)
    who, lasted, returned = (seen[name].to_numpy() for name in ("customer", "silent_days", "returned"))
    rng, n = np.random.default_rng(1), int(who.max()) + 1
    times = rng.multinomial(n, np.full(n, 1 / n), size=200)
    gaps = [days_to_return(np.repeat(lasted, t[who]), np.repeat(returned, t[who]), 0.8, longest) or 0 for t in times]
    found = stability(orders)
    drawn_one_by_one = np.quantile(gaps, [0.05, 0.95])
    assert (found.typical_gap_low_days, found.typical_gap_high_days) == pytest.approx(tuple(drawn_one_by_one), abs=2)


def test_the_same_seed_gives_the_same_answer_whatever_the_ids_and_the_row_order() -> None:
    for customers in (300, 900):
        orders = shop(customers, seed=4)
        other = orders.sample(fraction=1, shuffle=True, seed=5).with_columns(
            pl.col("customer_id").cast(pl.String).str.reverse().cast(pl.Categorical)
        )
        assert stability(orders) == stability(other)
    assert stability(orders, seed=1) != stability(orders)


def test_earlier_advice_is_the_advice_at_earlier_cutoffs() -> None:
    orders = shop(seed=6)
    advice, found = advise_windows(orders, cutoff=CUTOFF), stability(orders)
    assert found.earlier
    for back, then in enumerate(found.earlier, start=1):
        again = advise_windows(orders, cutoff=then.cutoff)
        assert then.cutoff == CUTOFF - timedelta(days=back * advice.advised_horizon_days)
        assert (then.horizon_days, then.typical_gap_days) == (again.advised_horizon_days, again.typical_gap_days)


def test_no_earlier_advice_is_asked_where_the_history_could_not_have_given_it() -> None:
    orders = shop(days=200, seed=1)
    advice = advise_windows(orders, cutoff=date(2022, 7, 20))
    assert advice.history_days < 4 * advice.advised_horizon_days
    assert stability(orders, date(2022, 7, 20)).earlier == ()


def test_the_advice_is_about_the_customers_even_where_another_horizon_was_given() -> None:
    orders = shop(seed=6)
    given = advise_windows(orders, cutoff=CUTOFF, horizon_days=17)
    assert given.advised_horizon_days == advise_windows(orders, cutoff=CUTOFF).horizon_days
    assert advice_stability(orders, given, cutoff=CUTOFF) == stability(orders)


def test_where_few_came_back_nothing_is_resampled_and_nothing_said() -> None:
    nobody = stability(orders_of([("a", "2024-01-01", 1)]), date(2024, 1, 2))
    assert nobody == Stability(0, {}, None, None, (), "")
    few = stability(orders_of([("a", f"2024-01-{day:02}", 1) for day in range(1, 30)]), date(2024, 2, 1))
    assert (few.resamples, few.horizons, few.sentence) == (0, {}, "")


def test_one_customer_who_came_back_often_is_drawn_again_and_again() -> None:
    days = [f"2024-{month:02}-{day:02}" for month in range(1, 5) for day in range(1, 29, 2)]
    found = stability(orders_of([("a", day, 1) for day in days]), date(2024, 5, 1))
    assert found.horizons == {14: 200}
    assert found.typical_gap_low_days == found.typical_gap_high_days == 2


@pytest.mark.parametrize(("customers", "seed", "agree"), [
    (600, 5, "All 200 resamples of the customers and the last 3 horizons advise 60 days too;"),
    (120, 8, "{} of 200 resamples of the customers and 2 of the last 3 horizons advise 60 days too;"),
    (120, 11, "{} of 200 resamples of the customers advise 90 days too, but not the last 2 horizons;"),
])  # fmt: skip
def test_the_sentence_says_how_many_resamples_and_horizons_agree(customers: int, seed: int, agree: str) -> None:
    orders = shop(customers, seed=seed)
    advised, found = advise_windows(orders, cutoff=CUTOFF).horizon_days, stability(orders)
    assert sum(found.horizons.values()) == found.resamples == 200
    gap = f"{found.typical_gap_low_days} to {found.typical_gap_high_days} days in 90 % of the resamples."
    assert found.sentence == f"{agree.format(found.horizons[advised])} the typical gap is {gap}"


def test_cdnow_is_advised_ninety_days_for_good(real_data: Path) -> None:
    orders = ck.clean_orders(ck.read_orders(real_data / "CDNOW_master.txt"))[0]
    found = stability(orders, date(1998, 7, 1))
    assert found.horizons == {90: 200}
    assert [then.horizon_days for then in found.earlier] == [90, 90, 90]
    assert found.sentence.startswith("All 200 resamples of the customers and the last 3 horizons advise 90 days too;")


def test_the_command_gives_the_same_bytes_for_the_same_seed(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = str(tmp_path / "orders.csv")
    assert run(["sample", "--quiet", "--output", file]) == 0
    shown = []
    for seed in ("0", "0", "1"):
        assert run(["window", file, "--quiet", "--format", "json", "--seed", seed]) == 0
        shown.append(capsysbinary.readouterr().out)
    assert shown[0] == shown[1] != shown[2]
