"""Callers of the network: organisations, their API clients and members, access tokens and revocations."""
