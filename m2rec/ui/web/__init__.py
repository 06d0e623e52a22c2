"""The server: Gradio, requests and their checks, responses and their headers."""
