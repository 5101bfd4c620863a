"""`cleio bench`: measures the figures of `docs/performance.md` on this machine and prints them with their targets.

Costs are processor time of the server process, compared with an empty FastAPI route that returns the same bytes. Both
are called in turn in the same run, so a busy machine slows both alike.
"""
