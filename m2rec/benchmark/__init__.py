"""Measurements of accuracy, speed and the page, and the reports of their results."""
