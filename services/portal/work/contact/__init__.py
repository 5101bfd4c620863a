"""The public contact of the visitor's centre: a function, never a person."""
