"""The eligibility language: its model, its lint, its units and its scales. Pure: no clock, no I/O."""
