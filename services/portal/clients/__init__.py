"""Calls of the portal to the public API."""
