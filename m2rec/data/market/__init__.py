"""Rhythm Market: an invented shop whose every purchase has a known cause, made to grade the gate.

Read in this order: settings (the constants) → catalogue → shop (what is popular, what follows what) → customers →
process (day by day) → occurrences (when a rhythm is due, as a filter sees it) → knowing, rhythm_belief, interest_belief
(what can be known and what can be inferred) → oracles (both put to work) → ceilings (what no model can beat).
`generate.generate` makes the whole, `market.Market` holds it.
"""
