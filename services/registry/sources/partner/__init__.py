"""The format in which partner networks send their trials: columns, files, and the reader of its records."""
