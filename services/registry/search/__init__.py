"""Full-text search over trials: the same words and filters through SQLite FTS5 and PostgreSQL tsvector."""
