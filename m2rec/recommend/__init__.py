"""From a history to an answer: what the page, the endpoints and the command line call."""
