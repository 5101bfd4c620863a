"""The four services of the trial network, and the command line that runs them."""
