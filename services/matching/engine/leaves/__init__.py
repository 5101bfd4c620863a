"""The leaves of the eligibility language, one module for each kind."""
