"""Who is about to leave, and how much of the money at stake is with the first tenth of the list.

python examples/at_risk.py [ORDERS]
"""

import sys
from pathlib import Path

import polars as pl

import churnkit as ck

path = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("orders.csv"))

orders, report = ck.clean_orders(ck.read_orders([path]))
model = ck.train(orders)
scored = ck.score(orders, model)

tenth = scored.head(scored.height // 10)
share = tenth["value_at_risk"].sum() / scored["value_at_risk"].sum()
print(f"{tenth.height} of {scored.height} customers hold {share:.0%} of what can still be saved.")

with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, float_precision=2):
    print(scored.head(5).select("rank", "customer_id", "churn_probability", "value_at_risk", "last_order_on"))
