"""How the sites of a trial are opened: regulatory path, GMO declaration, opening checklist of a site."""
