"""The patient of a match call: coded facts only, held in memory for the call."""
