"""What is stored of records at a moment: to see which changed, and to put them back."""
