"""Framework code that every service uses in the same way. It knows no trial, centre, patient or match but for two recorded exceptions."""
