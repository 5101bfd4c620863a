"""The delivery ledger: what is due, what was attempted, with which result."""
