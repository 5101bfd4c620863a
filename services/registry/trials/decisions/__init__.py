"""Decisions of people on trials, and what of trials waits for one."""
