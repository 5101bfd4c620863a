"""The centres of the network: their list and the page of each."""
