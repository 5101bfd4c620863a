"""Dossiers of studies that sponsors submit: their versions, screening, decisions and publication.

They never hold data of a patient, and files only by reference.
"""
