"""Referrals: the list of a hospital or centre, and the page on which each step is recorded."""
