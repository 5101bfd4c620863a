"""Source records: every form in which they came, and what they say of their trials."""
