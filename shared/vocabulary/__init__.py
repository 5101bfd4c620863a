"""Domain values that several services share: places, registry numbers, recruitment statuses, lengths of time."""
