"""What the network's own services ask about identity, and how the first administrator comes about. The gateway does not route it."""
