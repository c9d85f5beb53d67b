"""What thresholds are calibrated on.

Never the arithmetic. It is one file: `evidence.py`.
"""
