"""Whoever holds a token or a key: clients and members alike, where it makes no difference which of the two."""
