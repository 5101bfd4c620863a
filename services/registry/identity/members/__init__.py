"""People who act for an organisation, known by their subject at the identity provider and never by name."""
