"""Prompt tuning written plainly, the way the reference trains: what `benchmarks.tuning` compares the engine with.

Every step runs the vision tower again, with attention matrices written out; the text tower runs over all 77 tokens;
the local loss is taken on all pixels, both classes, layer by layer; everything in float32.
"""

import torch
from open_clip.transformer import ResidualAttentionBlock
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.clip import Backbone
from engine.detector.prompts import PromptLearner, Prompts
from engine.detector.scoring import TEMPERATURE
from engine.learning.losses import LAMBDA


class PlainTuner:
    """Tunes prompts from a start, one `step` a batch.

    Args:
        backbone: the frozen CLIP.
        start: the prompts to start from.
        learning_rate: of Adam.
    """

    def __init__(self, backbone: Backbone, start: Prompts, learning_rate: float) -> None:
        self.backbone = backbone
        self.learner = PromptLearner(backbone, start)
        self.optimizer = torch.optim.Adam(self.learner.parameters(), lr=learning_rate, betas=(0.5, 0.999))

    def step(self, images: Tensor, masks: Tensor) -> float:
        """One step on images (B, 3, s, s) and masks (B, s, s) of 0 and 1. Returns the loss before it."""
        with torch.no_grad():
            whole, layers = encode_images(self.backbone, images)
        text = encode_text(self.backbone, self.learner)
        labels = masks.flatten(1).any(dim=1).long()
        loss = F.cross_entropy(F.normalize(whole, dim=-1) @ text.T / TEMPERATURE, labels)
        for patches in layers:
            probs = (F.normalize(patches[:, 1:], dim=-1) @ text.T / TEMPERATURE).softmax(dim=-1)
            side = round(probs.shape[1] ** 0.5)
            grid = probs.permute(0, 2, 1).reshape(len(images), 2, side, side)
            maps = F.interpolate(grid, size=masks.shape[-1], mode="bilinear")
            local = focal(maps, masks) + dice(maps[:, 1], masks) + dice(maps[:, 0], 1 - masks)
            loss = loss + LAMBDA * local
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(query · keyᵀ · d^-½ + mask) · value, each (B, heads, t, d), the matrix written out: (B, t, heads · d)."""
    scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + mask
    return (scores.softmax(dim=-1) @ value).transpose(1, 2).flatten(2)


def heads_of(block: ResidualAttentionBlock, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value of a block, each (B, heads, t, d)."""
    projected = F.linear(block.ln_1(tokens), block.attn.in_proj_weight, block.attn.in_proj_bias)
    query, key, value = projected.unflatten(-1, (3, block.attn.num_heads, -1)).permute(2, 0, 3, 1, 4)
    return query, key, value


def encode_images(backbone: Backbone, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Global features (B, D), and for each layer in use patch features (B, 1 + n, D), class token first."""
    visual, tower = backbone.model.visual, backbone.vision
    original = local = tower._embed(images)
    layers = []
    for number, block in enumerate(visual.transformer.resblocks, start=1):
        query, key, value = heads_of(block, original)
        if number > tower.first_local_block:
            local = local + block.attn.out_proj(attend(value, value, value))
        original = original + block.attn.out_proj(attend(query, key, value))
        original = original + block.mlp(block.ln_2(original))
        if number <= tower.first_local_block:
            local = original
        if number in backbone.info.layers:
            layers.append(visual.ln_post(local) @ visual.proj)
    return original[:, 0] @ visual.proj, layers


def encode_text(backbone: Backbone, learner: PromptLearner) -> Tensor:
    """Text features (2, D), unit length, from all 77 tokens of both prompts."""
    model, count = backbone.model, learner.start.normal_context.shape[0]
    words = " ".join(["X"] * count)
    state = f"{learner.start.state_word} object."
    ids = backbone.tokenizer([f"{words} object.", f"{words} {state}"]).to(backbone.device)
    contexts = torch.stack([learner.normal_context, learner.anomalous_context])
    embedded = model.token_embedding(ids)
    tokens = torch.cat([embedded[:, :1], contexts, embedded[:, 1 + count :]], dim=1) + model.positional_embedding
    for number, block in enumerate(model.transformer.resblocks):
        if 1 <= number <= len(learner.deep_tokens):
            deep = learner.deep_tokens[number - 1].expand(2, -1, -1)
            tokens = torch.cat([tokens[:, :1], deep, tokens[:, 1 + deep.shape[1] :]], dim=1)
        tokens = tokens + block.attn.out_proj(attend(*heads_of(block, tokens), model.attn_mask))
        tokens = tokens + block.mlp(block.ln_2(tokens))
    ends = model.ln_final(tokens)[torch.arange(2), ids.argmax(dim=1)]
    return F.normalize(ends @ model.text_projection, dim=-1)


def focal(maps: Tensor, masks: Tensor) -> Tensor:
    """Mean of −(1 − p)² log p of the true class of each pixel, maps (B, 2, s, s), labels smoothed by 1e-5."""
    one_hot = F.one_hot(masks.long(), 2).permute(0, 3, 1, 2).float().clamp(1e-5, 1 - 1e-5)
    true_class = (one_hot * maps).sum(dim=1) + 1e-5
    return (-((1 - true_class) ** 2) * true_class.log()).mean()


def dice(maps: Tensor, masks: Tensor) -> Tensor:
    """1 − dice of (B, s, s), smoothed by 1, mean over images."""
    maps, masks = maps.flatten(1), masks.flatten(1).float()
    overlap = (maps * masks).sum(dim=1)
    return (1 - (2 * overlap + 1) / (maps.sum(dim=1) + masks.sum(dim=1) + 1)).mean()
