"""The match workbench: a record, the trials for it, the next questions, and what would change them."""
