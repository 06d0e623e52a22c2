"""Answers for every user of a table: histories in, ranked items out, in parts that a killed run goes on from."""
