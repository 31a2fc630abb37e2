"""The site in a real browser: nothing from elsewhere, every link and equation, every reader, every width."""

import json
import re

import pytest
from browser import site_pages
from browser.site_pages import DESK, PHONE, READY

pytestmark = pytest.mark.browser
CHAPTERS = sorted((site_pages.ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))


@pytest.fixture(scope="module")
def site():
    return site_pages.built()


@pytest.fixture(scope="module")
def pages(site):
    return site_pages.pages_of(site)


@pytest.fixture(scope="module")
def address(site):
    with site_pages.serving(site) as address:
        yield address


@pytest.fixture(scope="module")
def visits(browser, address, pages):
    """One visit to each page, which all tests of what is seen there share."""
    return site_pages.visit_all(browser, address, list(pages))


@pytest.fixture
def desk(browser, address):
    with browser.new_context(viewport=DESK, base_url=address) as context:
        yield context.new_page()


def failing(visits, what):
    return {name: found for name, visit in visits.items() if (found := what(visit))}


def opened(page, name):
    page.goto(name)
    page.wait_for_function(READY)


def test_every_chapter_has_a_page_that_the_start_page_leads_to(pages):
    expected = {f"{path.stem}.html" for path in CHAPTERS}
    assert len(expected) >= 28
    assert expected <= pages.keys()
    assert expected <= set(pages["index.html"].links)


def test_every_link_and_anchor_resolves(pages, site):
    lost = [
        (name, link)
        for name, page in pages.items()
        for link in page.links
        if not link.startswith(("http:", "https:", "mailto:", "data:"))
        and site_pages.leads_nowhere(link, name, pages, site)
    ]
    assert lost == []


def test_every_stored_picture_is_on_the_page_with_its_text(pages):
    for path in CHAPTERS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        stored = [o for cell in cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        assert pages[f"{path.stem}.html"].alts == [o["metadata"]["image/png"]["alt"] for o in stored], path.stem
        assert stored


def test_no_page_asks_another_host_for_anything(visits):
    assert failing(visits, lambda visit: visit.elsewhere) == {}


def test_no_page_reports_an_error(visits):
    assert failing(visits, lambda visit: visit.errors) == {}


def test_every_equation_is_typeset_without_an_error(visits):
    assert failing(visits, lambda visit: visit.facts["merrors"] + visit.facts["raw"]) == {}
    assert sum(visit.facts["formulas"] for visit in visits.values()) > 1_000


def test_every_picture_has_its_text_in_the_page(visits):
    assert failing(visits, lambda visit: visit.facts["silent"]) == {}
    assert sum(visit.facts["images"] for visit in visits.values()) > 150


def test_axe_finds_nothing_in_the_light(visits):
    assert failing(visits, lambda visit: visit.light) == {}


def test_axe_finds_no_weak_contrast_in_the_dark(visits):
    assert failing(visits, lambda visit: visit.dark) == {}


def test_no_page_is_wider_than_a_desk_or_a_phone(visits):
    assert failing(visits, lambda visit: visit.too_wide) == {}


def test_numbered_equations_keep_their_numbers(visits):
    for path in CHAPTERS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        assert set(visits[f"{path.stem}.html"].facts["numbers"]) == set(re.findall(r"\\tag\{([^}]+)\}", text)), (
            path.stem
        )


def test_folded_code_opens_from_the_keyboard(desk):
    opened(desk, "02_attention.html")
    fold = desk.locator("details.hide").first
    fold.locator("summary").focus()
    assert not fold.locator("pre").is_visible()
    desk.keyboard.press("Enter")
    fold.locator("pre").wait_for(state="visible")


def test_code_can_be_copied_and_outputs_have_no_button(desk):
    opened(desk, "02_attention.html")
    assert desk.locator(".cell_input .copybtn").count() > 20
    assert desk.locator(".cell_output .copybtn").count() == 0


def test_search_finds_a_word_and_leads_to_its_page(desk):
    opened(desk, "search.html?q=reparameterisation")
    first = desk.locator("ul.search li a").first
    first.wait_for()
    assert first.get_attribute("href").startswith("06_vae_math.html")


def test_search_and_equations_work_on_files_without_a_server(site, browser):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((site / "search.html").as_uri() + "?q=softmax")
        page.locator("ul.search li a").first.wait_for()
        page.goto((site / "02_attention.html").as_uri())
        page.locator("mjx-container").first.wait_for()


def test_light_and_dark_can_be_chosen(desk):
    opened(desk, "02_attention.html")
    ground = lambda: desk.evaluate("getComputedStyle(document.body).backgroundColor")
    seen = {ground()}
    for _ in range(2):
        desk.locator(".theme-toggle:visible").press("Enter")
        seen.add(ground())
    assert len(seen) == 2


def test_the_contents_open_from_the_keyboard_on_a_phone(browser, address):
    with browser.new_context(viewport=PHONE, base_url=address) as context:
        page = context.new_page()
        opened(page, "02_attention.html")
        chapter = page.locator(".sidebar-tree a[href='03_positions_and_cost.html']")
        assert not chapter.is_visible()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        chapter.wait_for(state="visible")


def test_paper_says_that_folded_code_is_left_out(desk):
    opened(desk, "02_attention.html")
    desk.emulate_media(media="print")
    summary = desk.locator("details.hide summary").first
    assert "left out on paper" in summary.evaluate("e => getComputedStyle(e, '::before').content")
    assert not desk.locator(".sidebar-drawer").is_visible()


def test_nothing_moves_for_who_asks_for_that(browser, address):
    with browser.new_context(viewport=DESK, base_url=address, reduced_motion="reduce") as context:
        page = context.new_page()
        opened(page, "02_attention.html")
        moving = """() => [...document.querySelectorAll('*')].filter(e => {
            const style = getComputedStyle(e);
            return style.transitionDuration.split(',').some(t => parseFloat(t) > 0) || style.animationName !== 'none';
        }).map(e => e.outerHTML.slice(0, 120))"""
        assert page.evaluate(moving) == []


LIVE = [
    "01_likelihood",
    "02_attention",
    "02b_attention_reads",
    "05_language_model",
    "06_vae_math",
    "10_gan_dynamics",
    "15_diffusion",
    "17_chat",
    "17b_preferences_and_rewards",
]


def explorers(site):
    found = [path for path in sorted(site.glob("*.html")) if 'data-module="' in path.read_text(encoding="utf-8")]
    assert [path.stem for path in found] == LIVE
    return [path.name for path in found]


def test_explorers_answer_on_the_site_without_a_kernel(site, desk):
    """A slider of each is moved from the keyboard, and its picture changes."""
    for name in explorers(site):
        opened(desk, name)
        places = desk.locator(".course-explorer")
        for at in range(places.count()):
            place = places.nth(at)
            place.scroll_into_view_if_needed()
            live = desk.locator(".course-explorer[data-live=yes]").nth(at)
            live.wait_for()
            slider = live.locator("input[type=range]").first
            before = live.locator("[role=img]").first.inner_html()
            at_its_end = slider.evaluate("slider => slider.value === slider.max")
            slider.press("ArrowLeft" if at_its_end else "ArrowRight")
            desk.wait_for_function(
                "([place, before]) => place.querySelector('[role=img]').innerHTML !== before",
                arg=[live.element_handle(), before],
            )
        assert site_pages.violations([desk]) == [[]], name


def test_an_explorer_that_cannot_be_loaded_keeps_its_still(site, desk):
    for name in explorers(site)[:1]:
        desk.route("**/_static/explorers/*", lambda route: route.abort())
        opened(desk, name)
        place = desk.locator(".course-explorer").first
        place.scroll_into_view_if_needed()
        assert place.locator("img").is_visible()
        assert "make lab" in place.inner_text()
