"""The copy of the registry that matching answers from: loaded from the export, updated from the feed, kept on disk."""
