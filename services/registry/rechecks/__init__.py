"""What has to be checked again: feasibility after an amendment, referrals also when a safety hold begins or ends."""
