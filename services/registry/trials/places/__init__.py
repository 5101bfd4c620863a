"""The facilities that records name for a trial, and what people say which place each of them is."""
