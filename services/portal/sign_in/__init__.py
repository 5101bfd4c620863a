"""Sign in and out: with the OpenID provider of the installation, or as a demonstration user on a developer's machine."""
