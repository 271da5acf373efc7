"""Pages for people: what the services say, as HTML that needs no script."""
