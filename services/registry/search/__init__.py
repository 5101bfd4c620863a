"""Search over trials: what a typed text means, and an index in memory that answers it. Knows no database."""
