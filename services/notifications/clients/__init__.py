"""What this service reads from its siblings."""
