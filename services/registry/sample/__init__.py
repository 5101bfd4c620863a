"""The bundled sample: real trials with their public facts, fictitious trials marked as such, centres, sites and signed criteria, as data."""
