"""Subscriptions of an organisation, with the health of their deliveries."""
