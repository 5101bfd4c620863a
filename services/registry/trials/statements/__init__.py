"""What people say of single fields of trials, and where the sources disagree with them or with each other."""
