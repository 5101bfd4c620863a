"""Where each field of a trial comes from, what people state of it, and what is in conflict."""
