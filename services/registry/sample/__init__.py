"""Bundled sample data: real trials from public facts, marked fictitious trials, centres, sites and criteria."""
