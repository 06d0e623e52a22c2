"""Rhythm Market: an invented shop whose every purchase has a known cause, for grading the gate.

Read in this order: settings (the constants) → shop/ (the catalogue; what is popular, what follows what) → customers →
process (day by day) → oracles/ (occurrences: when a rhythm is due, as a filter sees it; known_rhythms, rhythm_belief
and interest_belief: the parts; oracles: the best forecasts possible; measured: their accuracy). `generate.generate`
makes a `market.Market`.
"""
