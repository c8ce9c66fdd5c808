"""How a consultation sounds and looks over a bad line: rows of loss, round trip and jitter, measured."""
