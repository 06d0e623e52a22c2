"""What answers, in NumPy and without PyTorch: the weights of a checkpoint arranged for one history at a time.

`m2rec/model` trains, evaluates and is the reference; `tests/inference` holds the two to each other.
"""
