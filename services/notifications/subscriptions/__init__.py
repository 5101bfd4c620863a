"""Subscriptions of organisations to events."""
