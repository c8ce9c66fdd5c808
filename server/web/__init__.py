"""HTTP: one file per resource. Handlers parse, call a service, answer."""
