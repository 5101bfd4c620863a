"""Sequencing: which subscriptions get which events of a feed, under which numbers."""
