"""Dossiers: the list by state, and the page with screening, versions, comments, steps and decisions."""
