"""Communes, départements and regions that an operator has loaded: where places are and how many people live there."""
