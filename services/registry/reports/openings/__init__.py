"""Openings of sites: from the authorisation of a trial to its first patient at a centre."""
