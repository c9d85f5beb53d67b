"""The methods that the paper compares with, on the same features and the same readers."""
