"""Channels by which deliveries are sent."""
