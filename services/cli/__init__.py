"""The command line `cleio`: `app` names its commands, the other modules are what they do."""
