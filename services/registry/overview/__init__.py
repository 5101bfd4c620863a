"""What the registry has beside the record of a trial, in one answer: for pages that show all of it."""
