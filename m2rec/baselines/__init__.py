"""The models M2Rec is compared with, trained and measured in the same harness."""
