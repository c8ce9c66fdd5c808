"""Documents that strangers made, decoded in a child that can reach nothing: docs/decoding.md.

Inside it (`child.py` and what that imports) every byte is hostile; outside (`decoder.py`) every answer is.
"""
