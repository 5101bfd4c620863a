"""The people who call for an organisation: known by their subject at the identity provider, never by name."""
