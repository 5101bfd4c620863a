"""Ask for e-mail about a disease, without an account."""
