"""Find a trial: the first page, the search with its filters, and suggestions while typing."""
