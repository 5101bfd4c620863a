"""E-mail about a disease for anyone, without an account."""
