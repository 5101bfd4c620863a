"""What waits for the decision of a person: one queue over trials, conflicts and records."""
