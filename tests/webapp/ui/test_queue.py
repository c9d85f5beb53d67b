"""What to correct next, beside the canvas: from the top, with the reason, on with one key and back with another."""

from playwright.sync_api import expect

from db.projects.projects import update_settings
from db.training.prompt_versions import activate, active_version, add_version
from tests.webapp.ui.canvas_page import CanvasPage


def test_the_queue_leads_from_image_to_image_and_back(canvas: CanvasPage) -> None:
    ids = [canvas.add(seed=seed) for seed in range(4)]
    answer = canvas.page.request.get
    images = "/api/v1/images"
    canvas.open(ids[0])
    score = answer(f"{canvas.url}{images}/{ids[2]}").json()["score"]
    with canvas.installation.store.session() as session:
        update_settings(session, canvas.installation.project_id, {"threshold": score})
    queue = [one["id"] for one in answer(f"{canvas.url}{images}?order=uncertain&status=to_review").json()["items"]]

    canvas.part("filmstrip-order").select_option("uncertain")

    canvas.expect_open(queue[0])
    expect(canvas.part("filmstrip-count")).to_have_text("4 to review")
    at_threshold = canvas.page.locator(f"[data-testid=filmstrip-item][data-id='{ids[2]}']")
    expect(at_threshold).to_contain_text("Near the threshold")
    canvas.key("ArrowRight")  # the first is left for later
    canvas.expect_open(queue[1])
    canvas.key("n")
    expect(canvas.part("filmstrip-count")).to_have_text("3 to review")
    canvas.key("ArrowRight")
    canvas.expect_open(queue[2])
    canvas.key("ArrowLeft")
    canvas.expect_open(queue[1])
    expect(canvas.part("status")).to_have_text("Corrected")
    canvas.part("filmstrip-item").last.click()
    canvas.expect_open(queue[3])
    canvas.key("ArrowRight")  # round again, to what was left for later
    canvas.expect_open(queue[0])


def test_the_queue_goes_on_by_itself_when_new_prompts_have_scored_what_is_left(canvas: CanvasPage) -> None:
    ids = [canvas.add(seed=seed) for seed in range(3)]
    canvas.open(ids[0])
    canvas.part("go-on").check()
    canvas.part("filmstrip-order").select_option("uncertain")
    expect(canvas.part("filmstrip-count")).to_have_text("3 to review")
    address = f"{canvas.url}/api/v1/images?order=uncertain&status=to_review"
    first = canvas.page.request.get(address).json()["items"][0]["id"]
    canvas.expect_open(first)
    seen = use_prompts_that_have_scored_nothing(canvas)
    expect(canvas.part("filmstrip-count")).to_have_text("3 being scored")

    canvas.key("n")

    expect(canvas.part("status")).to_have_text("Corrected")
    canvas.expect_open(first)
    with canvas.installation.store.session() as session:
        activate(session, seen)
    expect(canvas.part("filmstrip-count")).to_have_text("2 to review")
    expect(canvas.root).not_to_have_attribute("data-image-id", str(first))


def use_prompts_that_have_scored_nothing(canvas: CanvasPage) -> int:
    """Prompts whose file is missing, so that they never will; returns the version that was in use."""
    with canvas.installation.store.session() as session:
        before = active_version(session, canvas.installation.project_id)
        assert before is not None
        other = add_version(
            session,
            project_id=canvas.installation.project_id,
            origin="imported",
            blob_key=f"00/{'0' * 64}",
            sha256="0" * 64,
            backbone_name=before.backbone_name,
            backbone_fingerprint=before.backbone_fingerprint,
        )
        activate(session, other.id)
        return before.id
