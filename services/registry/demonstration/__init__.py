"""Demonstration users, for a developer's machine: tokens of people who do not exist. Internal routes for the portal."""
