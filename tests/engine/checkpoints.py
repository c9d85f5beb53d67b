"""Checkpoints in the reference implementation's format."""

import io

import torch


def checkpoint(*, width: int, rows: int = 2) -> bytes:
    """One with E = 12 context vectors and M = 4 deep tokens for `rows` text blocks, random."""
    state = {"ctx_pos": torch.randn(1, 1, 12, width), "ctx_neg": torch.randn(1, 1, 12, width)}
    state |= {f"compound_prompts_text.{row}": torch.randn(4, width) for row in range(rows)}
    buffer = io.BytesIO()
    torch.save({"prompt_learner": state}, buffer)
    return buffer.getvalue()
