"""The programs that call for an organisation: by signed assertions, or by a key."""
