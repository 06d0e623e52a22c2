"""Rhythm Market: an invented shop whose every purchase has a known cause, for grading the gate.

Read in this order: settings (the constants) → catalogue → shop (what is popular, what follows what) → customers →
process (day by day) → occurrences (when a rhythm is due, as a filter sees it) → known_rhythms, rhythm_belief,
interest_belief (the parts of the oracles) → oracles (the best forecasts possible) → measured (their accuracy).
`generate.generate` makes a `market.Market`.
"""
