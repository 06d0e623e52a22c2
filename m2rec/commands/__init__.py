"""The command line: one file for each command. Nothing here computes; heavy imports wait until a command runs."""
