"""Plain models that several features of the registry share. Imports no feature."""
