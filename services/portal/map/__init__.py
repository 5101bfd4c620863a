"""The map: how long people of each département travel to the nearest open site, and where the centres are."""
