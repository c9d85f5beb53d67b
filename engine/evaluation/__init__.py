"""How good methods are: metrics, data sets, baselines, the paper's experiments and reports.

Never used to serve an image. Begin with `evaluate.py`; `metrics/` has AUROC, AP and AUPRO.
"""
