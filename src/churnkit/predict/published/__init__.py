"""Results that others have published, on the data they used, and ours beside them."""
