"""The command line, one file for each command. Heavy modules are imported only when a command runs."""
