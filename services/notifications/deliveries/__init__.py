"""The ledger of deliveries: what is due, what was tried, what came of it."""
