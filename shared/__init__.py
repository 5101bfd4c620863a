"""Code that all services share. It is in layers: see the contract `layers-of-shared` in pyproject.toml."""
