"""CDS Hooks 2.0: trials inside the EHR's own screen. Prefetch only; no call is ever made to the EHR."""
