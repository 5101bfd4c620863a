"""Disease concepts: codes, labels, synonyms and the closure of their hierarchy."""
