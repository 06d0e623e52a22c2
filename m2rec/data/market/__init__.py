"""Rhythm Market: an invented shop whose every purchase has a known cause, made to grade the gate.

Read in this order: settings (the constants) → catalogue → shop (what is popular, what follows what) → customers →
process (day by day) → occurrences (when a rhythm is due, as a filter sees it) → knowing (the oracle that knows every
customer). `generate.generate` makes the whole, `market.Market` holds it.
"""
