"""Runs the gateway and the services as separate processes on one machine. It imports none of the services."""
