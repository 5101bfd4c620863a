"""Trials: what is studied, for whom, where."""
