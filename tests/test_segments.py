"""RFM scores and segments: every pair of scores has one name, better is never lower, and shares add up."""

from itertools import pairwise, product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.customers.segments import (
    SCORES,
    SEGMENT_RULES,
    rfm_scores,
    segment_customers,
    segment_summary,
)
from churnkit.terms import SEGMENT, SEGMENT_LIST


def table(
    recency: list[int], frequency: list[int] | None = None, monetary: list[float | None] | None = None
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": [f"{i:03d}" for i in range(len(recency))],
            "recency_days": recency,
            "frequency": frequency or [1] * len(recency),
            "monetary": monetary or [1.0] * len(recency),
        },
        schema_overrides={"monetary": pl.Float64, "recency_days": pl.Int64, "frequency": pl.Int64},
    )


def test_every_pair_of_scores_belongs_to_exactly_one_segment() -> None:
    for r, f in product(range(1, SCORES + 1), repeat=2):
        names = [
            rule.segment
            for rule in SEGMENT_RULES
            if rule.r_scores[0] <= r <= rule.r_scores[1] and rule.f_scores[0] <= f <= rule.f_scores[1]
        ]
        assert len(names) == 1, (r, f)


def test_every_segment_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len({rule.segment for rule in SEGMENT_RULES}) == len(SEGMENT_RULES)
    assert all(rule.action.endswith(".") for rule in SEGMENT_RULES)


def test_ten_different_values_make_fifths_of_two() -> None:
    scores = rfm_scores(table(list(range(10, 101, 10)), list(range(1, 11)), [float(i) for i in range(10)]))
    assert scores["r_score"].to_list() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores["f_score"].to_list() == scores["m_score"].to_list() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_value_that_all_share_scores_in_the_middle(n: int) -> None:
    assert set(rfm_scores(table([5] * n)).drop("customer_id").rows()) == {(3, 3, 3)}
    assert segment_customers(table([5] * n))["segment"].unique().to_list() == ["Needs attention"]


def test_two_customers_lie_on_both_sides_of_the_middle() -> None:
    assert rfm_scores(table([1, 2], [2, 1]))["r_score"].to_list() == [4, 2]


def test_no_customer_makes_no_segment() -> None:
    nobody = table([1]).clear()
    segments = segment_customers(nobody)
    assert segments.is_empty()
    assert segment_summary(nobody, segments).is_empty()


def test_without_amounts_there_is_no_monetary_score_and_the_segments_are_the_same() -> None:
    priced = table([1, 20, 300, 4, 5], [9, 8, 1, 2, 1], [1.0, 2.0, 3.0, 4.0, 5.0])
    bare = priced.with_columns(monetary=pl.lit(None, dtype=pl.Float64))
    assert segment_customers(bare)["m_score"].null_count() == 5
    assert segment_customers(bare)["segment"].to_list() == segment_customers(priced)["segment"].to_list()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(-3, 3)), min_size=1, max_size=40))
def test_a_better_value_never_scores_lower_and_equals_share_a_score(rows: list[tuple[int, int, int]]) -> None:
    recency, frequency, monetary = (list(column) for column in zip(*rows, strict=True))
    scores = rfm_scores(table(recency, frequency, [float(m) for m in monetary]))
    for values, name in (([-r for r in recency], "r_score"), (frequency, "f_score"), (monetary, "m_score")):
        pairs = sorted(zip(values, scores[name], strict=True))
        assert all(1 <= score <= SCORES for _, score in pairs)
        for (worse, low), (better, high) in pairwise(pairs):
            assert low == high if worse == better else low <= high


def test_the_list_has_the_columns_of_the_vocabulary() -> None:
    assert segment_customers(table([1, 2])).columns == [term.name for term in SEGMENT_LIST]


def test_the_summary_counts_adds_and_averages() -> None:
    customers = table([10, 20, 30, 400, 500], [5, 5, 1, 1, 1], [100.1, 50.2, 10.3, 0.4, -1.0])
    segments = segment_customers(customers)
    assert segments["segment"].to_list() == ["Champions", "Loyal", "About to sleep", "Hibernating", "Lost"]
    segments = segments.with_columns(segment=pl.Series(["Champions", "Champions", "Lost", "Lost", "Lost"]))
    scored = pl.DataFrame(
        {"customer_id": ["000", "001", "004"], "churn_probability": [0.1, 0.2, 0.9], "value_at_risk": [1.5, 2.5, 0.1]}
    )
    summary = segment_summary(customers, segments, scored)
    assert summary.columns == [term.name for term in SEGMENT]
    best, lost = summary.rows()
    assert best[:5] == ("Champions", 2, 0.4, 150.3, 15030 / 16000)
    assert best[5:8] == (15.0, pytest.approx(0.15), 4.0)
    assert lost[:5] == ("Lost", 3, 0.6, 9.7, 970 / 16000)
    assert lost[5:8] == (310.0, 0.9, 0.1)


def test_the_summary_of_unscored_customers_leaves_risk_open() -> None:
    customers = table([1, 2, 3])
    summary = segment_summary(customers, segment_customers(customers))
    assert summary["churn_probability"].null_count() == summary["value_at_risk"].null_count() == summary.height


def test_shares_of_no_revenue_are_open() -> None:
    worthless: list[list[float | None]] = [[0.0, 0.0], [-3.0, 1.0], [None, None]]
    for monetary in worthless:
        customers = table([1, 2], [1, 1], monetary)
        summary = segment_summary(customers, segment_customers(customers))
        assert summary["revenue_share"].null_count() == summary.height
        assert summary["revenue"].null_count() == (summary.height if monetary[0] is None else 0)


def test_the_summary_comes_in_the_order_of_the_rules() -> None:
    customers = table(list(range(1, 101)), [1 + i * 37 % 50 for i in range(100)])
    names = segment_summary(customers, segment_customers(customers))["segment"].to_list()
    assert names == [rule.segment for rule in SEGMENT_RULES if rule.segment in names]
    assert len(names) == len(SEGMENT_RULES)
