"""What the README's results say, written from the published files."""
