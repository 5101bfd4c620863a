"""The commands of `cleio`, one module for each group.

They import what they run only when they run it, so that `cleio` starts fast.
"""
