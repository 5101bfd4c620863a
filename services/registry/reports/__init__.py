"""Reports: how long each step takes, for the network, a centre and F-CRIN; counts for sponsors."""
