"""What the dashboard shows, section by section: from the question whether a run goes well to what each part does."""

from genzoo.dashboards.panels import Bars, Curves, Pictures, Section, Table

SHARE = (0.0, 1.0)


def _everywhere(name: str) -> tuple[str, ...]:
    """A number of single batches, of all held-out images, and of as many training images."""
    return (f"train/{name}", f"val/{name}", f"val/training/{name}")


def _compared(title: str, name: str, bounds: tuple[float | None, float | None] = (None, None)) -> Curves:
    """A number on training and held-out images in one panel: where the two part, the model overfits."""
    return Curves(title, _everywhere(name), bounds)


SAMPLES = Pictures("Samples from fixed noise", ("pictures/samples",))
RECONSTRUCTIONS = Pictures("Reconstructions below their originals", ("pictures/reconstructions",))
BOUND = _compared("Evidence lower bound in nats (high is good)", "elbo")
DISTANCE = Curves("Frechet distance of samples (low is good)", ("val/fd/.*", "val/fid"), is_logarithmic=True)
ERROR = _compared("Squared error of reconstructions (low is good)", "squared_error")
EQUILIBRIUM = _compared(
    "Distance of the discriminator from 1/2 (0 at the equilibrium)", "equilibrium_distance", (0.0, 0.5)
)
THROUGHPUT = Curves("Images per second", ("train/speed/images_per_second",))
SCORES = Table("Test: all scores beside those of real data", ("scores",))

SECTIONS = (
    Section("Overview", (SAMPLES, BOUND, DISTANCE, ERROR, EQUILIBRIUM, THROUGHPUT)),
    Section(
        "Game",
        (
            Curves(
                "Belief of the discriminator that images are real, single batches",
                ("train/discriminator_real", "train/discriminator_fake"),
                SHARE,
            ),
            Curves(
                "The same of all held-out, training and generated images",
                ("val/(training/)?discriminator_real", "val/(training/)?discriminator_fake"),
                SHARE,
            ),
            _compared("Share that the discriminator tells apart (1/2 is even)", "discriminator_accuracy", SHARE),
            Curves("Scores of the critic, single batches", ("train/critic_real", "train/critic_fake")),
            Curves(
                "The same of all held-out, training and generated images",
                ("val/(training/)?critic_real", "val/(training/)?critic_fake"),
            ),
            Curves(
                "What the discriminator knows by heart: training minus held-out images",
                ("val/discriminator_gap", "val/critic_gap"),
            ),
            Curves("Losses of the players", (r"train/\w+_loss",)),
            Curves("Penalties", ("train/penalty/.*",)),
            EQUILIBRIUM,
            _compared("Class told of real images", "class_accuracy_real", SHARE),
            _compared("Class told of generated images", "class_accuracy_generated", SHARE),
            Curves("Probability of augmentation", ("train/augmentation/probability",), SHARE),
        ),
    ),
    Section(
        "Likelihood",
        (
            BOUND,
            _compared("Reconstruction in nats (high is good)", "reconstruction"),
            _compared("Divergence of the posterior from the prior in nats", "kl"),
            _compared("What training maximises", "objective"),
            _compared("What training minimises", "loss"),
            Bars("Importance-weighted negative log-likelihood of test images in nats (low is good)", ("test/nll",)),
            Bars("The same in bits per dimension", ("test/bits_per_dimension",)),
        ),
    ),
    Section(
        "Quality",
        (
            DISTANCE,
            Curves("Precision of samples (high is good)", ("val/precision/.*",), SHARE),
            Curves("Recall of samples (high is good)", ("val/recall/.*",), SHARE),
            Curves("Density of samples (1 as real images)", ("val/density/.*",)),
            Curves("Coverage of samples (high is good)", ("val/coverage/.*",), SHARE),
            ERROR,
            _compared("Error of reconstructions in features of the discriminator", "feature_error"),
            Curves("Test: Frechet distance", ("test/fd/.*", "test/fid", "test/frechet_infinity/.*")),
            Curves("Test: kernel distance", ("test/kernel_distance/.*", "test/kid")),
            Curves("Test: precision, recall, density, coverage", ("test/(precision|recall|density|coverage)/.*",)),
            Curves("Test: classes", ("test/(nearest_neighbour_accuracy|classifier_accuracy|agreement/.*)",), SHARE),
            Curves("Test: authenticity (0 for copies of training images)", ("test/authenticity/.*",)),
            Curves("Test: modes", ("test/(modes|high_quality|mode_divergence)",)),
            SCORES,
        ),
    ),
    Section(
        "Pictures",
        (
            SAMPLES,
            RECONSTRUCTIONS,
            Pictures("Samples and the training images nearest to them in pixels", ("pictures/neighbours",)),
            Pictures("Test: samples and those nearest in features", ("pictures/nearest_training_images",)),
            Pictures("Ways between fixed codes", ("pictures/interpolation",)),
        ),
    ),
    Section(
        "Latent space",
        (
            Pictures("Codes of held-out images", ("pictures/latent",)),
            Pictures("What latent variables change", ("pictures/traversals",)),
            _compared("Active units", "active_units"),
            Curves("Divergence of each latent variable in nats (unused near 0)", ("val/kl_per_dimension",)),
            _compared("Information about the codes in nats (high is good)", "information"),
            _compared("Category told of generated images", "category_accuracy", SHARE),
        ),
    ),
    Section(
        "Speed",
        (
            THROUGHPUT,
            Curves("Shares of time: data and the turns of the players", ("train/speed/[^i].*",), SHARE),
            Curves("Most memory in GiB", ("train/memory/gib",)),
        ),
    ),
    Section(
        "Optimisers",
        (
            Curves("Learning rates", (r"train/(\w+_)?learning_rate",), is_logarithmic=True),
            Curves("Norms of gradients", (r"train/\w+_gradient_norm",), is_logarithmic=True),
            Curves(
                "Updates as shares of the weights (0.001 is good)",
                (r"train/\w+_update_ratio",),
                is_logarithmic=True,
            ),
            Curves("Norms of weights", (r"train/\w+_weight_norm",)),
            Curves("Settings that follow schedules", ("train/schedule/.*",)),
        ),
        is_open=False,
    ),
)
