"""The life of a run, previews of what corrections teach, and versions on their way in and out of service.

What is learnt and decided lies in `engine.learning`. Begin with `tuning_run.py`.
"""
