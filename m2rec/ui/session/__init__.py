"""What a visitor has chosen and what changes it: the state, its link, the actions, and the worlds they act on."""
