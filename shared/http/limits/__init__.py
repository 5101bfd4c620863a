"""Limits: quotas of each caller, and concurrent requests of each process."""
