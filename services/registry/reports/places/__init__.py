"""What became of places and of waits for one, and which trials have places."""
