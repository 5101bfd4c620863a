"""The readers of CTIS, EUCTR, ISRCTN and ECLAIRE: what their records say of a trial. Pure."""
