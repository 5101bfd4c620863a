"""Workspaces of signed-in people: what waits for them, and the pages on which they do it."""
