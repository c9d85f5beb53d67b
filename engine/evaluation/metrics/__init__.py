"""AUROC, AP, F1-max and AUPRO, each defined once, in three ways to have the values: `of_arrays.py` takes all at once,
`spilled.py` any number of images through files, exactly; `histograms.py` counts in bins, for resamples by the hundred.

No file here knows what is measured: a label or a mask, and values. Begin with `of_arrays.py`.
"""
