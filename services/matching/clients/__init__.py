"""Calls to sibling services, and tolerant readers of what they answer."""
