"""Measurements of accuracy, speed and the page, and the README's results from them."""
