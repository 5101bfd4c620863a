"""The French networks for rare diseases: which of them covers a disease, for pages where there is no trial."""
