"""Trials that are one, and records of another trial: people merge and separate trials, and assign records."""
