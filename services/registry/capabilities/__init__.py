"""What centres can do and until when; what a trial needs of them; how long its patients are followed."""
