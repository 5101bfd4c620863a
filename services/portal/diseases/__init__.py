"""The list of diseases with trials, and the page of each disease."""
