"""What the product of a trial needs of a site, and which centres are able: one grid."""
