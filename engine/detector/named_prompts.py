"""Prompts that name the class, `[V1]…[VE][cls]` and `[W1]…[WE][damaged][cls]`: the paper's object-aware ones.

With plain CLIP's features, no deep tokens and the global loss alone they are CoOp.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from engine.backbone.clip import Backbone
from engine.detector.prompts import Prompts, TextTower
from engine.evaluation.baselines.texts import spoken
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import Example, TuningConfig, mean_terms


class NamedPromptTuner(Tuner):
    """Tunes contexts that all classes share; each example is compared with the texts of its own class.

    The terms of its loss are image, focal, dice and total; there is no pull.

    Args:
        backbone: the frozen CLIP.
        start: the prompts to start from.
        examples: at least one, with their classes' names.
        config: how to tune.
    """

    def __init__(self, backbone: Backbone, start: Prompts, examples: Sequence[Example], config: TuningConfig) -> None:
        super().__init__(backbone, start, examples, config)
        self._backbone = backbone
        self._towers: dict[str, TextTower] = {}

    def _loss(self, batch: list[Example]) -> dict[str, Tensor]:
        names = sorted({example.class_name for example in batch})
        classes = [[example for example in batch if example.class_name == name] for name in names]
        return mean_terms(classes, lambda one: self._glocal(one, self.text_of(one[0].class_name)))

    def text_of(self, class_name: str) -> Tensor:
        """Text features (2, D) of a class, differentiable."""
        if class_name not in self._towers:
            start = self.learner.start
            self._towers[class_name] = TextTower(
                self._backbone, start.normal_context.shape[0], start.state_word, spoken(class_name)
            )
        contexts = torch.stack([self.learner.normal_context, self.learner.anomalous_context])
        deep: Iterable[Tensor] = self.learner.deep_tokens
        return self._towers[class_name](contexts, list(deep), cast_float16=self.config.cast_float16)
