"""The session of a visitor: the state, its link, the actions that change it, and the worlds."""
