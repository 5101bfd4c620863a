"""Which record belongs to which trial, and which trial is merged into which: every change, by a rule or by a person."""
