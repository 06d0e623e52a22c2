"""An answer shown in a notebook, and the colours that it shares with the page."""
