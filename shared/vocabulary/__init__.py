"""Words and values of the domain that several services share: places, registry numbers, recruitment statuses, lengths of time."""
