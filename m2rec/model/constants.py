"""Limits that the model and its NumPy twin share. The module needs neither library, like `config.py`."""

LEAST_POPULARITY_WEIGHT = 0.01  # κ below which exp κβ says nothing about how often a usual item sells
LARGEST_EXPLANATION = 30.0  # upper limit of the log-odds of an explanation, which are exponentiated
LEAST_THEME_PROBABILITY = 1e-12  # floor under a probability whose logarithm is taken
LEAST_DUE_PROBABILITY = 1e-20  # the same in the frequency branch
SALIENCE_LIMIT = 4.0  # of a text in the decayed means: no item counts more than e⁴ times another of none
FILTER_EPSILON = 1e-6  # added to lengths and energies of the spectral filter that may be 0
CUTOFF = 0.1  # cycles an interaction; the plain low-pass passes slower frequencies, as the authors' released code does
