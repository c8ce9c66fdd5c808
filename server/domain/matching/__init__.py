"""Matching: from a referral's words to departments, ranked, with reasons. The rules are data beside it."""
