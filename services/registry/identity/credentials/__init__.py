"""What API clients and members have in common: the rights they can be given, and the end of their tokens."""
