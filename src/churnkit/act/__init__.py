"""What to do about it: the ranking by what can still be saved."""
