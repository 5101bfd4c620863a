"""Reads GA4GH Phenopackets: version 2, version 1, and the proband of a Family. Pure."""
