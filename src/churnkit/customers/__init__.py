"""Customers at a cutoff: features, segments and the return curve. Only `snapshot.py` cuts time."""
