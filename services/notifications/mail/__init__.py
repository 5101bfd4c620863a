"""Subscriptions of an organisation to events by e-mail."""
