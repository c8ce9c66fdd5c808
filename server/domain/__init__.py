"""Pure rules of the programme: standard library only, `now` is an argument."""
