"""How the embedded backbone is made: a tiny CLIP, trained from nothing on images that a program draws.

`python -m engine.pretrain --help` says how; docs/embedded_backbone.md says what came of it.
"""
