"""Reports: how long each step takes, in numbers, plots and files."""
