"""Other people's models, small and faithful, trained and measured exactly as M2Rec is."""
