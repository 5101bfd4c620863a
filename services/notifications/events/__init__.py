"""Events that were read from feeds."""
