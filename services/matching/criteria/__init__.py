"""Help for authors of criteria: what is wrong with a document, and what it says of a patient."""
