"""The first page of a workspace: what waits, and until when."""
