"""Runs the gateway and the services as separate programs on one machine; it serves nothing and imports none of them."""
