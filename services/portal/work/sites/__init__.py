"""The sites of a centre: confirm in one click that a status is still true, or change it."""
