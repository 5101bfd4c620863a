"""The past of trials: their versions, what differs between two of them, and how a trial was on a day."""
