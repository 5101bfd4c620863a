"""Help for authors of criteria: checks of a document, and dry runs on a patient."""
