"""Object-agnostic prompts: `[V1]…[VE][object]` and `[W1]…[WE][damaged][object]`, and their features (paper, 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from open_clip.transformer import ResidualAttentionBlock
from torch import Tensor, nn
from torch.nn import functional as F

from engine.backbone.clip import Backbone
from engine.backbone.vision_tower import ClassToken
from engine.errors import BackboneError, PromptError

CONTEXT_LENGTH = 12  # E
DEEP_TOKENS = 4  # M, learnable tokens before each of the text blocks 1 … DEPTH − 1
DEPTH = 9
STATE_WORD = "damaged"
# As many words as context vectors, each one token; the first four are shared, see `default_prompts`.
_NORMAL_WORDS = "a photo of a clean and intact and normal good perfect flawless"
_ANOMALOUS_WORDS = "a photo of a broken and faulty and abnormal bad cracked scratched"


@dataclass(frozen=True)
class Prompts:
    """What is learnt, and what it was learnt for.

    Attributes:
        normal_context: (E, W) vectors before "object.".
        anomalous_context: (E, W) vectors before "damaged object.".
        deep_tokens: (depth − 1, M, W); row i overwrites positions 1 … M before text block i + 1. May have no rows.
        state_word: the word in place of "damaged"; may be empty.
        backbone_name: the backbone's name, for people.
        backbone_fingerprint: the only backbone that these prompts mean something to.
        note: where they come from, one line.
        class_token: how an image's class token reaches the joint space where these prompts are compared with it.
    """

    normal_context: Tensor
    anomalous_context: Tensor
    deep_tokens: Tensor
    backbone_name: str
    backbone_fingerprint: str
    state_word: str = STATE_WORD
    note: str = ""
    class_token: ClassToken = "straight"

    def check_backbone(self, backbone: Backbone) -> None:
        """Raise PromptError unless these prompts were tuned for this backbone."""
        if self.backbone_fingerprint != backbone.info.fingerprint:
            raise PromptError(
                f"These prompts were tuned for the backbone {self.backbone_name} "
                f"({self.backbone_fingerprint[:12]}) and mean nothing to {backbone.info.name} "
                f"({backbone.info.fingerprint[:12]}). Set ANOMALYLOOP_BACKBONE to the one they were tuned for, "
                "or tune new ones."
            )


class TextTower:
    """CLIP's text tower for one pair of prompts: context vectors in, two unit-length text features out.

    Only the positions up to the longer prompt's end are computed: attention is causal, the rest can't matter.

    Raises:
        BackboneError: the text tower is of another kind than CLIP's.
    """

    def __init__(
        self, backbone: Backbone, context_length: int, state_word: str = STATE_WORD, object_name: str = "object"
    ) -> None:
        model = backbone.model
        _check_text_tower(backbone)
        placeholder = " ".join(["X"] * context_length)
        words = f"{state_word} {object_name}." if state_word else f"{object_name}."
        ids = backbone.tokenizer([f"{placeholder} {object_name}.", f"{placeholder} {words}"]).to(backbone.device)
        self.ends = ids.argmax(dim=1)  # the end token has the largest id
        self.length = int(self.ends.max()) + 1
        self._model = model
        self._embedded = model.token_embedding(ids[:, : self.length])

    def input_embeddings(self, contexts: Tensor) -> Tensor:
        """(2, E, W) contexts, normal first → (2, length, W), positions not added yet."""
        return torch.cat([self._embedded[:, :1], contexts, self._embedded[:, 1 + contexts.shape[1] :]], dim=1)

    def __call__(
        self, contexts: Tensor, deep_tokens: Sequence[Tensor] | Tensor, *, cast_float16: bool = False
    ) -> Tensor:
        """Text features (2, D), unit length, order normal, anomalous.

        Args:
            contexts: (2, E, W).
            deep_tokens: for text blocks 1, 2, …: (M, W) each.
            cast_float16: round the deep tokens to float16 where they enter, as the reference does.
        """
        model = self._model
        tokens = self.input_embeddings(contexts) + model.positional_embedding[: self.length]
        for number, block in enumerate(model.transformer.resblocks):
            if 1 <= number <= len(deep_tokens):
                tokens = _overwrite(tokens, deep_tokens[number - 1], cast_float16)
            tokens = _causal_block(block, tokens)
        ends = model.ln_final(tokens[torch.arange(2, device=tokens.device), self.ends])
        projection = model.text_projection
        features = projection(ends) if isinstance(projection, nn.Linear) else ends @ projection
        return F.normalize(features, dim=-1)

    @torch.no_grad()
    def hidden_states(self, contexts: Tensor, depth: int, count: int) -> Tensor:
        """(depth, count, W): what positions 1 … count hold before text blocks 1 … depth, for the normal prompt."""
        model = self._model
        tokens = self.input_embeddings(contexts) + model.positional_embedding[: self.length]
        states = []
        for block in model.transformer.resblocks[:depth]:
            tokens = _causal_block(block, tokens)
            states.append(tokens[0, 1 : 1 + count])
        return torch.stack(states)


def _check_text_tower(backbone: Backbone) -> None:
    model = backbone.model
    plain = all(
        isinstance(block, ResidualAttentionBlock) and isinstance(block.attn, nn.MultiheadAttention)
        for block in model.transformer.resblocks
    )
    if model.attn_mask is None or not plain:
        raise BackboneError(
            f"The text tower of {backbone.info.name} is not CLIP's causal transformer, which prompt tuning needs. "
            "Set ANOMALYLOOP_BACKBONE to a model such as ViT-L-14-336-quickgelu/openai."
        )


def _overwrite(tokens: Tensor, deep: Tensor, cast_float16: bool) -> Tensor:
    deep = deep.expand(tokens.shape[0], -1, -1)
    if cast_float16:  # after the expansion, so that gradients are rounded once for each prompt, as in the reference
        deep = deep.half().to(tokens.dtype)
    return torch.cat([tokens[:, :1], deep, tokens[:, 1 + deep.shape[1] :]], dim=1)


def _causal_block(block: ResidualAttentionBlock, tokens: Tensor) -> Tensor:
    """A block of the text tower, (2, t, W) → (2, t, W): what it does itself, with both prompts' rows in one product."""
    attention = block.attn
    projected = F.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
    query, key, value = projected.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    tokens = tokens + block.ls_1(attention.out_proj(attended.transpose(1, 2).flatten(2)))
    return tokens + block.ls_2(block.mlp(block.ln_2(tokens)))


class PromptLearner(nn.Module):
    """Prompts as parameters; calling it gives their text features (2, D).

    Raises:
        PromptError: the prompts' vectors are of another width than the backbone's.
    """

    def __init__(self, backbone: Backbone, prompts: Prompts, *, cast_float16: bool = False) -> None:
        super().__init__()
        check_sizes(backbone, prompts)
        self.start = prompts
        self.tower = TextTower(backbone, prompts.normal_context.shape[0], prompts.state_word)
        self.cast_float16 = cast_float16
        device = backbone.device
        self.normal_context = nn.Parameter(prompts.normal_context.clone().to(device))
        self.anomalous_context = nn.Parameter(prompts.anomalous_context.clone().to(device))
        self.deep_tokens = nn.ParameterList([row.clone().to(device) for row in prompts.deep_tokens])

    def forward(self) -> Tensor:
        """Text features (2, D), unit length, order normal, anomalous."""
        contexts = torch.stack([self.normal_context, self.anomalous_context])
        return self.tower(contexts, list(self.deep_tokens), cast_float16=self.cast_float16)

    def prompts(self, note: str = "") -> Prompts:
        """The parameters as they are now, on the CPU."""
        deep = [row.detach().cpu().clone() for row in self.deep_tokens]
        return replace(
            self.start,
            normal_context=self.normal_context.detach().cpu().clone(),
            anomalous_context=self.anomalous_context.detach().cpu().clone(),
            deep_tokens=torch.stack(deep) if deep else self.start.deep_tokens,
            note=note,
        )


@torch.no_grad()
def encode_prompts(backbone: Backbone, prompts: Prompts, *, cast_float16: bool = False) -> Tensor:
    """Text features (2, D), unit length, order normal, anomalous. Raises PromptError on another width."""
    return PromptLearner(backbone, prompts, cast_float16=cast_float16)()


def check_sizes(backbone: Backbone, prompts: Prompts) -> None:
    """Raise PromptError unless the prompts' vectors fit the backbone's text tower."""
    width, blocks = backbone.info.text_width, len(backbone.model.transformer.resblocks)
    found = prompts.normal_context.shape[1]
    if found != width:
        raise PromptError(
            f"The prompts are {found} wide and the text tower of {backbone.info.name} is {width} wide: "
            "they were made for another backbone. Set ANOMALYLOOP_BACKBONE to that one."
        )
    if len(prompts.deep_tokens) >= blocks:
        raise PromptError(
            f"The prompts have learnable tokens for {len(prompts.deep_tokens)} text blocks and "
            f"{backbone.info.name} has only {blocks - 1} after its first: they were made for another backbone."
        )


@torch.no_grad()
def default_prompts(backbone: Backbone, state_word: str = STATE_WORD) -> Prompts:
    """Prompts that read as plain words, for a backbone that nothing was tuned for yet.

    The contexts are the embeddings of words. Both begin with the same four words, so positions 1 … 4 hold the same
    hidden states in both prompts (attention is causal); taken as deep tokens, these leave the features of the plain
    words unchanged, and tuning can start at every depth from there.
    """
    model, device = backbone.model, backbone.device
    ids = backbone.tokenizer([_NORMAL_WORDS, _ANOMALOUS_WORDS])[:, 1 : 1 + CONTEXT_LENGTH].to(device)
    contexts = model.token_embedding(ids)
    tower = TextTower(backbone, CONTEXT_LENGTH, state_word)
    depth = min(DEPTH, len(model.transformer.resblocks)) - 1
    return Prompts(
        normal_context=contexts[0].cpu(),
        anomalous_context=contexts[1].cpu(),
        deep_tokens=tower.hidden_states(contexts, depth, DEEP_TOKENS).cpu(),
        backbone_name=backbone.info.name,
        backbone_fingerprint=backbone.info.fingerprint,
        state_word=state_word,
        note="plain words",
        class_token=backbone.plain_class_token,
    )


def random_prompts(
    backbone: Backbone,
    seed: int,
    *,
    context_length: int = CONTEXT_LENGTH,
    deep_tokens: int = DEEP_TOKENS,
    depth: int = DEPTH,
    state_word: str = STATE_WORD,
) -> Prompts:
    """Prompts drawn from N(0, 0.02²), as the reference starts a training; text blocks 1 … depth − 1 get deep tokens."""
    generator = torch.Generator().manual_seed(seed)
    width = backbone.info.text_width
    rows = min(depth, len(backbone.model.transformer.resblocks)) - 1
    return Prompts(
        normal_context=0.02 * torch.randn(context_length, width, generator=generator),
        anomalous_context=0.02 * torch.randn(context_length, width, generator=generator),
        deep_tokens=0.02 * torch.randn(rows, deep_tokens, width, generator=generator),
        backbone_name=backbone.info.name,
        backbone_fingerprint=backbone.info.fingerprint,
        state_word=state_word,
        note=f"random, seed {seed}",
    )
