"""The running page: how long a click takes, how it holds under load, and its pictures."""
