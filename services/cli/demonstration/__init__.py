"""Illustrative work for a demonstration: invented referrals, dossiers and decisions, sent through the public API."""
