"""What a search tries: checked names, and the candidates of its first round."""

from __future__ import annotations

from dataclasses import dataclass

from ratedb.errors import UsageError, one_of
from ratedb.models.engine import Specification
from ratedb.models.features import feature_map, is_homonuclear
from ratedb.models.kernels import DISTINCT_KERNELS, check_kernel
from ratedb.models.means import REFERENCE, check_mean
from ratedb.models.process import OPTIMISERS
from ratedb.options import TrainOptions

_CRITERIA = ("validation", "bic")
_ENGINES = ("auto", "basis", "dense", "sparse")
_SEARCHES = ("single", "composite")
_CORPUS = ("on", "off")
# What won on ro-vibrational sets, which are large: kernels, and feature maps with their means.
_VIBRATING_KERNELS = ("M32", "M52")
_VIBRATING = (
    ("physics", "linear"),
    ("paper", "linear"),
    ("symmetric", "balanced"),
    ("ordered", "balanced"),
)
_AS_GIVEN = ("criterion", "engine", "optimiser", "seed", "jobs", "scheduler", "corpus")


@dataclass(frozen=True)
class SearchRequest:
    """What to try; features or means that are None are chosen automatically.

    `composite` adds the paper's greedy search over sums and products. The criterion `validation` judges by
    unseen rates and averages; `bic` takes the one candidate with the lowest Bayesian information criterion.
    `jobs` local processes, or the workers of the dask `scheduler`, fit in parallel.

    Raises UsageError for an unknown name or an invalid number.
    """

    kernels: tuple[str, ...] = DISTINCT_KERNELS
    features: tuple[str, ...] | None = None
    means: tuple[str, ...] | None = None
    composite: bool = False
    criterion: str = "validation"
    engine: str = "auto"
    optimiser: str = "lbfgs"
    seed: int = 0
    jobs: int = 1
    scheduler: str | None = None
    corpus: str = "on"

    def __post_init__(self) -> None:
        kernels = tuple(dict.fromkeys(check_kernel(kernel) for kernel in self.kernels))
        object.__setattr__(self, "kernels", kernels)
        for name in self.features or ():
            feature_map(name)
        for name in self.means or ():
            check_mean(name)
        one_of("--criterion", self.criterion, _CRITERIA)
        one_of("--engine", self.engine, _ENGINES)
        one_of("--corpus", self.corpus, _CORPUS)
        one_of("--optimiser", self.optimiser, OPTIMISERS)
        if not 0 <= self.seed < 2**31:
            raise UsageError("invalid --seed", expected="0..2147483647", got=str(self.seed))
        if self.jobs < 1:
            raise UsageError("invalid --jobs", expected="1 or more", got=str(self.jobs))

    @staticmethod
    def of(options: TrainOptions) -> SearchRequest:
        """Return the request of `train`'s options; raises UsageError for an invalid one."""
        one_of("--search", options.search, _SEARCHES)
        if options.mean.startswith(REFERENCE):
            raise UsageError(
                "a mean of the ratio to another data set needs two options",
                expected=f"--prior SYSTEM --mean {options.mean.removeprefix(REFERENCE)}",
                got=f"--mean {options.mean}",
            )
        return SearchRequest(
            kernels=options.kernels or DISTINCT_KERNELS,
            features=None if options.features == "auto" else (options.features,),
            means=None if options.mean == "auto" else (options.mean,),
            composite=options.search == "composite",
            **{name: getattr(options, name) for name in _AS_GIVEN},
        )

    @property
    def asks_corpus(self) -> bool:
        """Whether what is known of other molecules takes part: where nothing else is asked for by name."""
        as_by_default = (self.engine, self.optimiser, self.criterion) == ("auto", "lbfgs", "validation")
        return self.corpus == "on" and self._automatic and as_by_default and not self.composite

    @property
    def _automatic(self) -> bool:
        return self.features is None and self.means is None and self.kernels == DISTINCT_KERNELS

    def averages(self, engine: str) -> bool:
        """Return whether the result is a weighted average of candidates."""
        return self.criterion == "validation" and engine != "dense"

    def specifications(
        self, molecule: str, engine: str, with_reference: bool, vibrating: bool = False
    ) -> list[Specification]:
        """Return the candidates of the first round: every kernel with every feature map and mean.

        By default the dense engine has the paper's features and no mean, as in the paper; the others have
        both feature maps, with nuclear spin for a homonuclear molecule, and three means. For transitions that
        change v, whose sets are large, only what won on such sets is tried.
        """
        kernels, pairs = self.kernels, self._features_and_means(engine)
        if vibrating and engine != "dense" and self._automatic:
            kernels, pairs = _VIBRATING_KERNELS, list(_VIBRATING)
        if self.features is None and is_homonuclear(molecule):
            pairs = [(f"{features}+spin", mean) for features, mean in pairs]
        if with_reference:
            ratios = [(one, mean) for one, mean in pairs if mean != "ios"]
            ratios = ratios or [(one, "constant") for one, _ in pairs]
            pairs = [*pairs, *((one, f"{REFERENCE}{mean}") for one, mean in ratios)]
        # Candidates are compared with exact processes; the chosen ones get the engine's own.
        name = "dense" if engine == "dense" else "basis"
        return [Specification(name, kernel, one, mean) for one, mean in pairs for kernel in kernels]

    def _features_and_means(self, engine: str) -> list[tuple[str, str]]:
        dense = engine == "dense"
        features = self.features or (("paper",) if dense else ("physics", "paper"))
        means = self.means or (("constant",) if dense else ("constant", "linear", "ios"))
        return [(one, mean) for mean in means for one in features]
