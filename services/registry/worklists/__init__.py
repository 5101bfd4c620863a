"""Worklists: what waits for a hospital, a centre, a sponsor or the coordination, and when it is due."""
