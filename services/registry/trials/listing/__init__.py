"""The list of trials: search, filters, order, counts and suggestions, over the index of `services.registry.search`."""
