"""Codes of medical terminologies: how they are written, and how they relate to each other. Pure."""
