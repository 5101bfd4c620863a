"""The registry owns trials, centres, sites and their sources, and writes every change to its feed.

It never sees a patient.
"""
