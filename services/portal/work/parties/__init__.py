"""Others around a dossier: who acts for its owner, to whom it goes, which centres are asked."""
