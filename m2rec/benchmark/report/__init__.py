"""The results in README.md and RESULTS.md, written from the recorded figures."""
