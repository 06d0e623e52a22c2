"""The server: Gradio, the calls that come in, what is refused, and what is sent in which form."""
