"""The page of a trial and the page of its history."""
