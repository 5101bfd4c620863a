"""What a published amendment changes elsewhere: feasibility is asked again, open referrals are checked again."""
