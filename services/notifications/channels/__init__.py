"""The ways a delivery leaves."""
