"""Floor 1: the only place that knows foreign files and column names. Files in, clean order lines out."""
