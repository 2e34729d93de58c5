"""Every feature against a second implementation in SQL that shares nothing with the first."""

import random
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from churnkit.customers.features import FAMILIES, FEATURES, feature_terms
from churnkit.customers.snapshot import snapshot, snapshot_terms
from hand_lines import Line, at, lines_of

ORACLE = """
WITH past AS (SELECT * FROM lines WHERE ordered_at < $cutoff::DATE),
placed AS (
    SELECT customer_id, order_key, ordered_at::DATE AS d, min(ordered_at) AS t, sum(amount_cents) AS v,
           sum(quantity_milli) / 1000 AS q, count(*) AS n, $cutoff::DATE - ordered_at::DATE AS age
    FROM past GROUP BY ALL),
bought AS (SELECT * FROM placed WHERE v >= 0 OR v IS NULL),
refunded AS (SELECT customer_id, count(*) AS n, -sum(v) AS v, min(age) AS age FROM placed WHERE v < 0 GROUP BY 1),
rhythm AS (
    SELECT customer_id, count(*) AS n, avg(gap) AS mean, stddev_samp(gap) AS std, max(gap) AS longest,
           arg_max(gap, d) AS latest
    FROM (SELECT customer_id, d, d - lag(d) OVER (PARTITION BY customer_id ORDER BY d) AS gap
          FROM (SELECT DISTINCT customer_id, d FROM bought))
    GROUP BY 1),
net AS (
    SELECT customer_id, sum(v) / 100 AS total,
           sum(CASE WHEN age <= 30 THEN v ELSE v * 0 END) / 100 AS last_30,
           sum(CASE WHEN age <= 90 THEN v ELSE v * 0 END) / 100 AS last_90,
           sum(CASE WHEN age <= 180 THEN v ELSE v * 0 END) / 100 AS last_180,
           sum(CASE WHEN age <= 365 THEN v ELSE v * 0 END) / 100 AS last_365,
           sum(CASE WHEN age BETWEEN 181 AND 360 THEN v ELSE v * 0 END) / 100 AS before_180
    FROM placed GROUP BY 1),
taste AS (
    SELECT customer_id, count(*) AS n, count(*) FILTER (first_on >= $cutoff::DATE - 180) AS fresh
    FROM (SELECT customer_id, product, min(ordered_at) AS first_on FROM past
          WHERE product IS NOT NULL AND (amount_cents >= 0 OR amount_cents IS NULL) GROUP BY ALL)
    GROUP BY 1),
edges AS (
    SELECT customer_id, max(v) FILTER (up = 1) / 100 AS first, max(v) FILTER (down = 1) / 100 AS last
    FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY t, v) AS up,
                 row_number() OVER (PARTITION BY customer_id ORDER BY t DESC, v DESC) AS down FROM bought)
    GROUP BY 1),
whole AS (
    SELECT customer_id, max(d) AS last_on, min(age) AS recency, max(age) AS tenure, count(*) AS n,
           avg(v / 100) AS mean, stddev_samp(v / 100) AS std, min(v) / 100 AS least, max(v) / 100 AS most,
           count(*) FILTER (age <= 30) AS n_30, count(*) FILTER (age <= 90) AS n_90,
           count(*) FILTER (age <= 180) AS n_180, count(*) FILTER (age <= 365) AS n_365,
           count(*) FILTER (age BETWEEN 181 AND 360) AS n_before,
           avg(v) FILTER (age <= 180) / nullif(avg(v) FILTER (age > 180), 0) AS mean_trend,
           avg(n) AS lines, avg(q) AS units, sum(v) / 100 AS gross,
           avg((dayofweek(d) IN (0, 6))::INT) AS weekend,
           CASE WHEN count(*) FILTER (t <> d::TIMESTAMP) > 0 THEN avg((hour(t) >= 18)::INT) END AS evening
    FROM bought GROUP BY 1)
SELECT customer_id::VARCHAR AS customer_id, last_on AS last_order_on,
    recency AS recency_days, tenure AS tenure_days, tenure - recency AS active_days, whole.n AS frequency,
    net.total AS monetary,
    recency / rhythm.mean AS recency_over_mean_gap, recency / rhythm.longest AS recency_over_max_gap,
    (recency - rhythm.mean) / CASE WHEN rhythm.std < 1 THEN 1 ELSE rhythm.std END AS silence_in_deviations,
    recency / tenure AS recency_share_of_tenure,
    rhythm.n AS n_order_days, whole.n * 30 / greatest(tenure, 30) AS orders_per_30_days,
    rhythm.mean AS mean_gap_days, rhythm.std AS std_gap_days, rhythm.longest AS max_gap_days,
    rhythm.latest AS last_gap_days, rhythm.std / rhythm.mean AS gap_variation,
    rhythm.latest / rhythm.mean AS last_gap_over_mean_gap,
    n_30 AS orders_last_30_days, n_90 AS orders_last_90_days, n_180 AS orders_last_180_days,
    n_365 AS orders_last_365_days, n_90 / whole.n AS order_share_last_90_days,
    n_180 / whole.n AS order_share_last_180_days,
    CASE WHEN tenure > 180 THEN (n_180 - n_before) / nullif(n_180 + n_before, 0) END AS orders_trend_180_days,
    CASE WHEN tenure > 180
         THEN (last_180 - before_180) / nullif(abs(last_180) + abs(before_180), 0) END AS spend_trend_180_days,
    mean_trend AS mean_order_trend_180_days,
    last_30 AS spend_last_30_days, last_90 AS spend_last_90_days, last_180 AS spend_last_180_days,
    last_365 AS spend_last_365_days, whole.mean AS mean_order, whole.std AS std_order, least AS min_order,
    most AS max_order, edges.first AS first_order_amount, edges.last AS last_order_amount,
    edges.last / nullif(whole.mean, 0) AS last_order_over_mean_order,
    lines AS lines_per_order, units AS units_per_order, taste.n AS n_products,
    taste.n / whole.n AS products_per_order, fresh / taste.n AS new_product_share_180_days,
    weekend AS weekend_share, evening AS evening_share,
    coalesce(refunded.n, 0) AS n_refunds,
    least(coalesce(refunded.v, 0) / 100, gross) / nullif(gross, 0) AS refund_share, refunded.age AS days_since_refund
FROM whole JOIN net USING (customer_id) JOIN rhythm USING (customer_id) JOIN edges USING (customer_id)
LEFT JOIN refunded USING (customer_id) LEFT JOIN taste USING (customer_id)
ORDER BY customer_id
"""


def agree(lines: pl.DataFrame, cutoff: date, folder: Path) -> pl.DataFrame:
    """The customer table, once it is equal to the oracle's."""
    lines.with_columns(pl.col(pl.Categorical).cast(pl.String)).write_parquet(folder / "lines.parquet")
    with duckdb.connect() as db:
        db.read_parquet(str(folder / "lines.parquet")).create_view("lines")
        found = db.execute(ORACLE, {"cutoff": cutoff})
        names = [column[0] for column in found.description]
        rows = found.fetchall()
    ours = snapshot(lines, cutoff=cutoff)
    assert names == ours.columns
    theirs = pl.DataFrame(rows, schema=ours.schema, orient="row", strict=False)
    assert_frame_equal(ours, theirs, check_exact=False, rel_tol=1e-9, abs_tol=1e-9)
    return ours


def random_lines(seed: int, *, amounts: bool = True, times: bool = True, known: float = 0.8) -> pl.DataFrame:
    """Lines with refunds, orders of nothing, several lines and days per key, ties to the second, and unknown parts."""
    rng = random.Random(seed)
    rows: list[Line] = []
    for _ in range(3_000):
        day = at("2023-01-01") + timedelta(days=int(540 * rng.random() ** 0.7))
        moment = day + timedelta(hours=rng.choice((0, 9, 17, 18, 23)), minutes=rng.choice((0, 59))) * times
        cents = rng.choice((0, 100, 2_500, rng.randrange(1, 90_000), -rng.randrange(1, 50_000)))
        rows.append(
            (
                f"{int(120 * rng.random() ** 2):03d}",
                rng.randrange(9),
                moment,
                cents if amounts else None,
                rng.randrange(-3_000, 9_000, 500) if rng.random() < known else None,
                rng.choice("abcdefgh") if rng.random() < known else None,
            )
        )
    return lines_of(rows)


@pytest.mark.parametrize("cutoff", [date(2023, 3, 5), date(2024, 1, 1), date(2024, 7, 1), date(2026, 1, 1)])
@pytest.mark.parametrize("seed", [1, 2])
def test_features_agree_with_sql_on_random_orders(seed: int, cutoff: date, tmp_path: Path) -> None:
    agree(random_lines(seed), cutoff, tmp_path)


def test_features_agree_with_sql_where_the_file_has_no_amounts_products_quantities_or_times(tmp_path: Path) -> None:
    ours = agree(random_lines(3, amounts=False, times=False, known=0.0), date(2024, 7, 1), tmp_path)
    empty = [name for name in ours.columns if ours[name].is_null().all()]
    assert {"monetary", "mean_order", "refund_share", "units_per_order", "n_products", "evening_share"} <= set(empty)


def test_features_agree_with_sql_on_cdnow(real_data: Path, tmp_path: Path) -> None:
    cents = (pl.col("dollar_value") * 100).round().cast(pl.Int64)
    lines = pl.read_parquet(real_data / "cdnow_sample.parquet").select(
        pl.col("master_id").cast(pl.String).alias("customer_id"),
        pl.lit(0, dtype=pl.Int64).alias("order_key"),
        pl.col("date").cast(pl.Datetime("us")).alias("ordered_at"),
        cents.alias("amount_cents"),
        (pl.col("number_of_cds").cast(pl.Int64) * 1000).alias("quantity_milli"),
        pl.lit(None, dtype=pl.Categorical).alias("product"),
        pl.lit(None, dtype=pl.Categorical).alias("market"),
    )
    ours = agree(lines, date(1998, 7, 1), tmp_path)
    assert ours.height == 2_357
    assert ours["monetary"].sum() == pytest.approx(244_091.94)
    assert agree(lines, date(1997, 10, 1), tmp_path).height == 2_357


@pytest.mark.parametrize("cutoff", [date(2011, 6, 12), date(2011, 12, 10)])
def test_features_agree_with_sql_on_online_retail(real_data: Path, tmp_path: Path, cutoff: date) -> None:
    raw = pl.read_parquet(real_data / "online_retail.parquet").filter(pl.col("CustomerID").is_not_null())
    lines = raw.select(
        pl.col("CustomerID").cast(pl.String).alias("customer_id"),
        pl.col("InvoiceNo").rank("dense").cast(pl.Int64).alias("order_key"),
        pl.col("InvoiceDate").cast(pl.Datetime("us")).alias("ordered_at"),
        (pl.col("Quantity") * pl.col("UnitPrice") * 100).round().cast(pl.Int64).alias("amount_cents"),
        (pl.col("Quantity").cast(pl.Int64) * 1000).alias("quantity_milli"),
        pl.col("StockCode").alias("product"),
        pl.col("Country").alias("market"),
    )
    assert agree(lines, cutoff, tmp_path)["n_refunds"].sum() > 1_000


def test_every_feature_is_a_documented_word() -> None:
    terms = feature_terms()
    assert len({term.name for term in terms}) == len(terms) == len(FEATURES)
    for feature, term in zip(FEATURES, terms, strict=True):
        assert feature.family in FAMILIES
        assert term.meaning.endswith(".")
        assert len(term.meaning) > 15, term.name
        assert "\n" not in term.meaning


def test_every_family_has_a_feature() -> None:
    assert {feature.family for feature in FEATURES} == set(FAMILIES)


def test_the_terms_are_the_columns_of_the_customer_table_and_their_types() -> None:
    customers = snapshot(random_lines(4), cutoff=date(2024, 1, 1))
    assert [term.name for term in snapshot_terms()] == customers.columns
    of_kind = {"id": pl.String, "date": pl.Date, "integer": pl.Int64, "days": pl.Int64}
    for term in snapshot_terms():
        assert customers.schema[term.name] == of_kind.get(term.kind, pl.Float64), term.name


def test_a_feature_is_null_only_where_its_line_in_the_glossary_says_so_and_never_nan() -> None:
    for customers in (
        snapshot(random_lines(5), cutoff=date(2023, 2, 1)),
        snapshot(random_lines(5, amounts=False, times=False, known=0.0), cutoff=date(2024, 1, 1)),
    ):
        for term in snapshot_terms():
            assert term.nullable or customers[term.name].null_count() == 0, term.name
        numbers = customers.select(pl.selectors.float())
        assert numbers.select((~pl.all().is_finite()).sum()).sum_horizontal().item() == 0


def test_a_nullable_feature_has_a_customer_without_it() -> None:
    customers = pl.concat(
        [
            snapshot(random_lines(5), cutoff=date(2023, 1, 8)),
            snapshot(random_lines(5, amounts=False, times=False, known=0.0), cutoff=date(2024, 1, 1)),
        ]
    )
    assert {term.name for term in snapshot_terms() if term.nullable} == {
        name for name in customers.columns if customers[name].null_count()
    }
