"""HTTP calls to the other services."""
