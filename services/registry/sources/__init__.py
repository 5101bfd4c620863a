"""Import from public registries: reads source records as trials and keeps what became of each record."""
