"""Pages as Chromium shows them, at the widths of a desk and a phone."""

import shutil

import pytest

from genzoo.cli import main
from genzoo.report.writing import write_comparison

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")]

QUICK = [
    *("--data", "FashionMNISTMini", "--data.subset", "200", "--data.batch_size", "16", "--run.name", "first"),
    *("--trainer.max_epochs", "3", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1"),
    *("--trainer.logger", "CSVLogger", "--trainer.log_every_n_steps", "1", "--trainer.enable_progress_bar", "false"),
    *("--trainer.accelerator", "cpu"),
]
MODELS = {
    "VAE": ["--model.networks.hidden_features", "[8]", "--model.latent_dim", "5"],
    "DCGAN": ["--model.networks.width", "2", "--model.generator_optimizer.lr", "0.1", "--data.image_size", "32"],
    "ConditionalGAN": ["--model.networks.generator_features", "[8]", "--model.networks.discriminator_features", "[8]"],
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages that training has written, and one that compares them."""
    root = tmp_path_factory.mktemp("runs")
    for model, settings in MODELS.items():
        networks = ["--model.networks", "MLPPlayers"] if model == "ConditionalGAN" else []
        assert main(["fit", "--model", model, *networks, *settings, *QUICK, "--run.root", str(root)]) == 0
    folders = {model: root / model.lower() / "first" for model in MODELS}
    write_comparison([*folders.values()], root / "comparison.html")
    return {model: folder / "report.html" for model, folder in folders.items()} | {"all": root / "comparison.html"}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        # Root, as in containers, has no sandbox.
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, 900, "light"), (390, 844, "dark")], ids=["desk", "phone"])
def opened(request, browser):
    """Opens a page, and gives what it asked for and what went wrong."""
    width, height, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    asked, said = [], []

    def open_page(path):
        page = context.new_page()
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        return page, asked, said

    yield open_page
    context.close()


@pytest.mark.parametrize("name", [*MODELS, "all"])
def test_a_page_is_whole(opened, pages, name):
    page, asked, said = opened(pages[name])
    figures = page.locator("[data-plot]")
    assert figures.count() >= 5
    assert page.locator("[data-plot] canvas").count() == figures.count()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # A canvas on which nothing is drawn is transparent throughout.
    is_drawn = "each => each.getContext('2d').getImageData(0, 0, each.width, each.height).data.some(value => value > 0)"
    assert all(page.locator("canvas").nth(place).evaluate(is_drawn) for place in range(figures.count()))
    box = page.locator(".head input").first
    before = box.is_checked()
    box.click()
    assert box.is_checked() != before
    assert page.locator("[data-plot] canvas").count() == figures.count()
    for image in page.locator("img").all():
        assert image.evaluate("each => each.naturalWidth") > 0
    assert [address for address in asked if not address.startswith(("data:", "file:"))] == []
    assert [address for address in asked if address.startswith("file:")] == [pages[name].as_uri()]
    assert said == []


@pytest.mark.parametrize("name", MODELS)
def test_the_slider_goes_through_the_epochs(opened, pages, name):
    page, _, said = opened(pages[name])
    figure = page.locator("[data-frames]").first
    image, slider, text = (figure.locator(tag) for tag in ("img", "input", "output"))
    seen = {}
    for place, epoch in ((0, 1), (1, 2), (2, 3)):
        slider.fill(str(place))
        assert text.text_content() == f"epoch {epoch}"
        assert image.get_attribute("alt").endswith(f"epoch {epoch}")
        seen[epoch] = image.get_attribute("src")
    assert len({*seen.values()}) == 3
    figure.locator("button").click()
    playwright.expect(text).to_have_text("epoch 1")
    playwright.expect(text).to_have_text("epoch 3")
    assert image.get_attribute("src") == seen[3]
    assert said == []


def test_a_comparison_shows_pictures_of_all_runs(opened, pages):
    page, _, _ = opened(pages["all"])
    samples = page.locator(".beside").first.locator("img")
    assert samples.count() == 3
    assert len({image.get_attribute("src") for image in samples.all()}) == 3
