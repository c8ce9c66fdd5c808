"""The application: accounts, cases, seats, pages, recordings. Knows no packet and no SDP."""
