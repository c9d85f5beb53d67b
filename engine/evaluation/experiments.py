"""The methods and the paper's experiments as rows of a table: each a name and what the method is built from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from engine.backbone.vision_tower import Attention
from engine.detector.prompts import STATE_WORD, Prompts, default_prompts, random_prompts
from engine.errors import EngineError
from engine.evaluation.baselines.clip import clip, clip_ac
from engine.evaluation.baselines.trained import Auxiliary, april_gan, coop, tuned_prompts
from engine.evaluation.baselines.winclip import WinClip
from engine.evaluation.method import AnomalyClip, Method
from engine.features.encoders import Encoder, local_features, only_layers, variant_features
from engine.serving.engine import Engine

METHODS = ("clip", "clip_ac", "winclip", "april_gan", "coop", "anomalyclip")
MEDICAL = {"isic", "cvc_clinicdb", "cvc_colondb", "kvasir", "endo", "tn3k", "headct", "brainmri", "br35h", "covid19"}
STATE_WORDS = ("damaged", "defective", "anomalous", "abnormal", "flawed", "broken", "diseased", "unknown", "")


@dataclass(frozen=True)
class Setting:
    """What rows are built from.

    Attributes:
        engine: backbone and resolution.
        prompts: AnomalyCLIP's, where nothing is tuned.
        names: of the data sets to tune on; empty where none was given.
        join: makes one auxiliary set of those of the given names.
        seed: of the prompts that tuning starts from.
        final: the prompts come from a file and are evaluated as they are, whatever there is to tune on.
    """

    engine: Engine
    prompts: Prompts
    names: Sequence[str]
    join: Callable[[Sequence[str]], Auxiliary]
    seed: int = 111
    final: bool = False

    def auxiliary(self, purpose: str, names: Sequence[str] | None = None) -> Auxiliary:
        """The sets to tune on. Raises EngineError, saying what it was for, where none was given."""
        chosen = self.names if names is None else names
        if not chosen:
            raise EngineError(
                f"{purpose} is tuned on labelled images of another set, and there are none: name them by "
                "--tune-dataset and --tune-data. A set is never tuned on while it is evaluated itself."
            )
        return self.join(chosen)

    def tuned(self, name: str, start: Prompts, *, encoder: Encoder | None = None, with_class: bool = False,
              names: Sequence[str] | None = None, **config: float) -> "Tuned":  # fmt: skip
        """A row of prompts tuned from `start`, with changes to the configuration."""
        return Tuned(name, self, start, encoder, with_class, names, config)

    def random(self, *, state_word: str = STATE_WORD, **sizes: int) -> Prompts:
        """Prompts as the reference starts a training."""
        return random_prompts(self.engine.backbone, self.seed, state_word=state_word, **sizes)


@dataclass(frozen=True)
class Tuned:
    """A row of prompts tuned from `start` on the setting's auxiliary sets.

    Attributes:
        name: as the table shows it.
        setting: what it is built from.
        start: where tuning begins.
        encoder: of the features; None: the local stream's of all layers.
        with_class: the prompts name the class.
        names: the sets to tune on; None: the setting's.
        config: what differs from the setting's configuration.
    """

    name: str
    setting: Setting
    start: Prompts
    encoder: Encoder | None = None
    with_class: bool = False
    names: Sequence[str] | None = None
    config: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Method:
        """Tune. Raises EngineError where there is nothing to tune on."""
        given = self.setting.auxiliary(self.name, self.names)
        auxiliary = replace(given, config=replace(given.config, **self.config))
        return tuned_prompts(
            self.setting.engine,
            self.start,
            auxiliary,
            name=self.name,
            encoder=self.encoder,
            with_class=self.with_class,
        )


@dataclass(frozen=True)
class Made:
    """A row whose method one function makes."""

    name: str
    make: Callable[[], Method]

    def build(self) -> Method:
        """Make the method."""
        return self.make()


Row = Made | Tuned


def method_rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    """The methods of the given names. AnomalyCLIP is tuned where there is something to tune on, and no prompt file."""
    engine = setting.engine
    makers: dict[str, Callable[[], Method]] = {
        "clip": partial(clip, engine),
        "clip_ac": partial(clip_ac, engine),
        "winclip": partial(WinClip, engine),
        "april_gan": lambda: april_gan(engine, setting.auxiliary("APRIL-GAN")),
        "coop": lambda: coop(engine, setting.auxiliary("CoOp")),
        "anomalyclip": partial(_anomalyclip, setting),
    }
    return [Made(name, makers[name]) for name in names]


def _anomalyclip(setting: Setting) -> Method:
    engine = setting.engine
    if setting.final or not setting.names:
        return AnomalyClip(engine, setting.prompts)
    start = setting.random() if engine.reference else setting.prompts
    return tuned_prompts(engine, start, setting.auxiliary("AnomalyCLIP"))


def _clip_on(engine: Engine, encoder: Encoder) -> Method:
    method = clip(engine)
    method.encoder = encoder
    return method


def modules(setting: Setting) -> list[Row]:
    """Modules, cumulatively, over CLIP: T1 DPAM, T2 object-agnostic prompts, T3 deep tokens, T4 several layers."""
    info = setting.engine.info
    last = only_layers(local_features(setting.engine), info.layers, info.layers[-1:])
    return [
        Made("base: CLIP", partial(clip, setting.engine)),
        Made("+ T1 DPAM", partial(_clip_on, setting.engine, last)),
        setting.tuned("+ T2 object-agnostic prompts", setting.random(depth=1), encoder=last),
        setting.tuned("+ T3 learnable text tokens", setting.random(), encoder=last),
        setting.tuned("+ T4 several layers", setting.random()),
    ]


def object_aware(setting: Setting) -> list[Row]:
    """Object-agnostic against object-aware prompts."""
    return [
        setting.tuned("object-agnostic", setting.random()),
        setting.tuned("object-aware", setting.random(), with_class=True),
    ]


def losses(setting: Setting) -> list[Row]:
    """The global loss alone, the local one alone, both."""
    return [
        setting.tuned("global loss", setting.random(), weight=0.0),
        setting.tuned("local loss", setting.random(), image_weight=0.0),
        setting.tuned("both", setting.random()),
    ]


def attention(setting: Setting) -> list[Row]:
    """V-V, Q-Q, K-K in the local stream, and none."""
    titles: dict[Attention, str] = {"vv": "V-V", "qq": "Q-Q", "kk": "K-K", "off": "without DPAM"}
    encoders = {
        kind: local_features(setting.engine) if kind == "vv" else variant_features(setting.engine, kind)
        for kind in titles
    }
    return [setting.tuned(titles[kind], setting.random(), encoder=encoder) for kind, encoder in encoders.items()]


def medical(setting: Setting) -> list[Row]:
    """Prompts tuned on industrial sets, and on medical ones: a row for each kind that there is to tune on."""
    kinds = {
        "tuned on industrial sets": [name for name in setting.names if name not in MEDICAL],
        "tuned on medical sets": [name for name in setting.names if name in MEDICAL],
    }
    return [setting.tuned(title, setting.random(), names=names) for title, names in kinds.items() if names]


def lengths(setting: Setting) -> list[Row]:
    """Numbers of learnable tokens: E in the context, M in each text block, and how many blocks have them."""
    contexts = [setting.tuned(f"E = {n}", setting.random(context_length=n)) for n in (4, 8, 12, 16)]
    deep = [setting.tuned(f"M = {n}", setting.random(deep_tokens=n)) for n in (1, 2, 4, 6)]
    blocks = len(setting.engine.backbone.model.transformer.resblocks)
    depths = sorted({min(depth, blocks) for depth in (1, 3, 6, 9, 12)})
    return [*contexts, *deep, *(setting.tuned(f"text depth {n}", setting.random(depth=n)) for n in depths)]


def layers(setting: Setting) -> list[Row]:
    """Each visual layer alone, and the last ones together."""
    info = setting.engine.info
    found: list[Row] = []
    chosen = [(layer,) for layer in info.layers] + [info.layers[-n:] for n in range(2, len(info.layers) + 1)]
    for subset in chosen:
        encoder = only_layers(local_features(setting.engine), info.layers, subset)
        found.append(setting.tuned(f"layers {', '.join(map(str, subset))}", setting.random(), encoder=encoder))
    return found


def weights(setting: Setting) -> list[Row]:
    """λ, the weight of the local loss."""
    return [setting.tuned(f"λ = {value:g}", setting.random(), weight=value) for value in (0.5, 1, 2, 4, 8)]


def state_words(setting: Setting) -> list[Row]:
    """The word that stands for the anomaly: plain prompts with it, and tuned ones where there is a set to tune on."""
    engine = setting.engine
    rows: list[Row] = []
    for word in STATE_WORDS:
        title = word or "no word"
        plain = default_prompts(engine.backbone, word)
        name = f"{title}, plain words"
        rows.append(Made(name, partial(AnomalyClip, engine, plain, name)))
        if setting.names:
            rows.append(setting.tuned(f"{title}, tuned", setting.random(state_word=word)))
    return rows


EXPERIMENTS: dict[str, Callable[[Setting], list[Row]]] = {
    "modules": modules,
    "object_aware": object_aware,
    "losses": losses,
    "attention": attention,
    "medical": medical,
    "lengths": lengths,
    "layers": layers,
    "lambda": weights,
    "state_words": state_words,
}
