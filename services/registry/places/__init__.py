"""The table of facility texts and the places that they are, which people correct."""
