"""Answers for every user of a table: histories in, ranked items out, in parts, so that a killed run can be resumed."""
