"""Lists and single trials as anonymous callers read them: the stored text, by statements that are compiled once."""
