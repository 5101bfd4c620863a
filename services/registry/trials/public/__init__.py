"""Lists and single trials as anonymous callers read them: the stored text, by one statement that is compiled once."""
