"""API clients: the programs that call for an organisation, with signed assertions or an API key."""
