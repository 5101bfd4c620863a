"""How near the open sites are to the people of France: per disease and département."""
