"""Labelled churn: one row a customer and a column that says who churned. No time is known, and none is invented."""
