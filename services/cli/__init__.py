"""The command line `cleio`: `commands` holds the commands by group, the other modules do the work and print results."""
