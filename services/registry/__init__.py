"""The registry owns trials, centres, sites and their sources, and appends every change to its feed; it never sees a patient."""
