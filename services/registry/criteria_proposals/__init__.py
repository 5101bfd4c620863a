"""Criteria that one person proposes and another person signs."""
