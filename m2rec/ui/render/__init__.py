"""What a page shows of a session: the context, its words, and the templates around them."""
