"""What the parties of a trial state to prepare its sites: versioned documents, beside the record of the trial."""
