"""Accuracy, speed and the page, measured, and what the README says of them."""
