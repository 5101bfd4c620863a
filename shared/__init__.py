"""Framework code that every service uses in the same way; it knows no trial, centre, patient or match (`shared.criteria` is the one recorded exception)."""
