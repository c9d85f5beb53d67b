"""Readers of image sets with labels and masks."""
