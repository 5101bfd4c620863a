"""Fetches the records of other registries on a schedule; each page is imported like records that people send.

A source has one row of state and one run at a time. What a run reached is stored after the page that it belongs to:
a run that is interrupted anywhere continues there, and what it fetches twice is unchanged.
"""
