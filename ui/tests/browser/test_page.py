"""The page of `sim ui` as its user has it."""

import re
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import SHOP, SIM, Opened, Site
from playwright.sync_api import Browser, Page, expect


def number(page: Page, name: str) -> float:
    """A number of the page's head."""
    text = page.locator(f"#now-{name}").inner_text()
    found = re.search(r"[0-9.]+", text)
    assert found is not None, text
    return float(found.group())


def slide(page: Page, key: str, to: int) -> None:
    """Moves a slider as the arrow keys do: one event for each step."""
    slider = page.locator(f'[id="key-{key}"]')
    slider.evaluate(
        """(slider, to) => {
            slider.value = to;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
        }""",
        to,
    )


def test_a_slider_moves_and_the_numbers_follow(opened: Opened) -> None:
    page = opened.page
    before = number(page, "throughput")
    slide(page, "service.threads", 700)
    opened.sharp()
    assert number(page, "throughput") > 1.2 * before
    expect(page.locator("#set-line")).to_contain_text("--set service.threads=")
    assert "set=service.threads%3D" in page.url
    row = page.locator("#compared [data-fact=throughput]")
    expect(row.locator("td")).to_have_count(2)
    expect(row.locator(".difference")).to_contain_text("better")
    # Each number has its interval beside it.
    expect(row.locator(".interval").last).to_contain_text("±")
    expect(page.locator("#change")).to_contain_text("throughput")


def test_a_rough_answer_comes_before_the_sharp_one(opened: Opened) -> None:
    page = opened.page
    page.evaluate(
        """() => {
            self.states = [];
            const answers = document.getElementById('answers');
            new MutationObserver(() => self.states.push(answers.dataset.state))
                .observe(answers, { attributes: true, attributeFilter: ['data-state'] });
        }"""
    )
    slide(page, "load.users", 600)
    opened.sharp()
    assert page.evaluate("self.states")[:2] == ["rough", "sharp"]


def test_a_state_is_an_address(opened: Opened) -> None:
    page = opened.page
    before = number(page, "throughput")
    page.locator('[id="key-service.concurrency"]').select_option("async")
    opened.sharp()
    after = number(page, "throughput")
    assert after != before
    page.reload()
    opened.sharp()
    assert number(page, "throughput") == after
    expect(page.locator('[id="key-service.concurrency"]')).to_have_value("async")
    page.go_back()
    opened.sharp()
    assert number(page, "throughput") == before
    expect(page.locator('[id="key-service.concurrency"]')).to_have_value("threadpool")


def test_the_first_change_is_named_and_made(opened: Opened) -> None:
    page = opened.page
    before = number(page, "throughput")
    expect(page.locator("#sentence")).to_contain_text(
        "The limit is service.concurrency"
    )
    button = page.locator("#try")
    expect(button).to_be_in_viewport()
    page.mouse.wheel(0, 3000)
    expect(button).to_be_in_viewport()
    button.click()
    opened.sharp()
    assert number(page, "throughput") > before


def test_how_much_load_it_takes_is_what_sim_size_says(
    opened: Opened, site: Site
) -> None:
    page = opened.page
    page.locator("#size-limit").fill("300ms")
    page.get_by_role("button", name="Find out").click()
    sentence = page.locator("#size-sentence")
    expect(sentence).to_contain_text("Holds")
    words = [str(SIM), "size", "shop.toml", "--keep", "p99 < 300ms"]
    printed = subprocess.run(
        words, cwd=site.file.parent, capture_output=True, text=True, check=True
    )
    assert sentence.inner_text() in printed.stdout.replace("\n", " ")
    assert (
        page.locator("#size-line").inner_text()
        == "sim size shop.toml --keep 'p99 < 300ms'"
    )
    # What to change to take more is said under the load at which it breaks.
    expect(page.locator("#size-first")).to_contain_text("To take more, change first:")
    expect(page.locator("#size-first")).to_contain_text("With it ")
    expect(page.locator("#size-first-try")).to_contain_text("Try it, and ask again:")
    page.locator("#size-try").click()
    opened.sharp()
    expect(page.locator("#set-line")).to_contain_text("--set load.users=")


def test_a_change_is_made_and_asked_about_again(opened: Opened) -> None:
    page = opened.page
    page.locator("#size-limit").fill("300ms")
    page.get_by_role("button", name="Find out").click()
    sentence = page.locator("#size-sentence")
    expect(sentence).to_contain_text("Holds")
    before = sentence.inner_text()
    gain = page.locator("#size-first").inner_text().rsplit("With it ", 1)[1]
    page.locator("#size-first-try").click()
    # The number before the change stays beside the new one.
    expect(page.locator("#size-before")).to_have_text(f"Before the change: {before}")
    expect(sentence).to_contain_text("Holds")
    assert users(sentence.inner_text()) > users(before)
    assert users(gain) > users(before)


def users(sentence: str) -> int:
    found = re.search(r"(\d+) users", sentence)
    assert found, sentence
    return int(found.group(1))


def test_the_head_names_what_helps_to_keep_what_was_asked(opened: Opened) -> None:
    page = opened.page
    # The question stands above the numbers, on the first screen.
    expect(page.get_by_role("button", name="Find out")).to_be_in_viewport()
    page.locator("#size-limit").fill("60ms")
    page.get_by_role("button", name="Find out").click()
    sentence = page.locator("#size-sentence")
    expect(sentence).to_contain_text("P99")
    opened.sharp()
    expect(page.locator("#objectives")).to_contain_text("p99 < 60ms")
    expect(page.locator("#sentence")).to_contain_text(
        "`p99 < 60ms` needs".replace("`", "")
    )
    # Another limit takes the answer away, and once it is asked about the place of the first.
    page.locator("#size-limit").fill("70ms")
    expect(sentence).to_contain_text("ask again")
    page.get_by_role("button", name="Find out").click()
    expect(page.locator("#objectives")).to_contain_text("p99 < 70ms")
    expect(page.locator("#objectives")).not_to_contain_text("p99 < 60ms")


def test_where_no_load_keeps_it_the_page_says_why(opened: Opened) -> None:
    page = opened.page
    page.locator("#size-limit").fill("30ms")
    page.get_by_role("button", name="Find out").click()
    expect(page.locator("#size-sentence")).to_contain_text("No load keeps")
    # With one user the partner takes most of the time, which nothing of the service changes.
    expect(page.locator("#size-first")).to_contain_text("waiting for partner to reply")


def test_on_a_narrow_screen_the_question_stands_above_the_keys(opened: Opened) -> None:
    page = opened.page
    page.set_viewport_size({"width": 400, "height": 800})
    expect(page.get_by_role("button", name="Find out")).to_be_in_viewport()
    question = page.locator("#load").bounding_box()
    keys = page.locator("#keys").bounding_box()
    assert question is not None and keys is not None
    assert question["y"] + question["height"] <= keys["y"]


def test_a_mistake_is_shown_and_goes_away(opened: Opened) -> None:
    page = opened.page
    row = page.locator('[data-key="service.workers"]')
    row.locator(".exact").fill("900")
    row.locator(".exact").press("Enter")
    problem = page.locator("#problems")
    expect(problem).to_contain_text("service.workers")
    expect(problem).to_contain_text("Allowed: an integer from 1 to 64")
    row.get_by_role("button", name="Undo").click()
    opened.sharp()
    expect(problem).to_be_empty()


def test_a_broken_file_is_shown_with_its_line(opened: Opened, site: Site) -> None:
    page = opened.page
    site.file.write_text(SHOP.replace("threads = 1", "threds = 1"))
    page.reload()
    problem = page.locator("#problems")
    expect(problem).to_contain_text("shop.toml:5:")
    expect(problem).to_contain_text("did you mean `threads`?".replace("`", ""))
    site.file.write_text(SHOP)
    page.get_by_role("button", name="Read the file again").click()
    opened.sharp()


def test_up_to_five_variants_are_pinned(opened: Opened) -> None:
    page = opened.page
    for count, users in enumerate([10, 12, 14, 16, 18], start=1):
        field = page.locator('[data-key="load.users"] .exact')
        field.fill(str(users))
        field.press("Enter")
        opened.sharp()
        page.locator("#pin").click()
        expect(page.locator("#compared thead th")).to_have_count(count + 2)
    field.fill("30")
    field.press("Enter")
    opened.sharp()
    expect(page.locator("#pin")).to_be_disabled()
    page.reload()
    opened.sharp()
    cells = page.locator("#compared [data-fact=throughput] td .value")
    expect(cells).to_have_count(7)
    page.get_by_role("button", name="Unpin").first.click()
    expect(page.locator("#compared thead th")).to_have_count(6)


def test_the_search_finds_keys_by_name_and_meaning(opened: Opened) -> None:
    page = opened.page
    page.locator("#search").fill("gunicorn")
    rows = page.locator(".key:visible")
    expect(rows.first).to_be_visible()
    assert 1 <= rows.count() < 12
    page.locator("#search").fill("partner p99")
    expect(page.locator(".key:visible")).to_have_count(1)
    expect(page.locator('[id="key-upstream.partner.latency.p99"]')).to_be_visible()


def test_an_objective_is_added_and_removed(opened: Opened) -> None:
    page = opened.page
    page.locator("#keep-text").fill("p99 < 1ms")
    page.locator("#keep-text").press("Enter")
    opened.sharp()
    expect(page.locator("#objectives")).to_contain_text("✗ broken")
    expect(page.locator("#set-line")).to_contain_text("--keep 'p99 < 1ms'")
    page.locator("#objectives").get_by_role("button", name="Remove").click()
    opened.sharp()
    expect(page.locator("#objectives")).to_be_empty()


def test_a_state_is_saved_as_a_file_that_extends(opened: Opened, site: Site) -> None:
    page = opened.page
    page.locator('[id="key-service.concurrency"]').select_option("async")
    opened.sharp()
    page.locator("#save").click()
    expect(page.locator("#saved")).to_contain_text("what-if.toml")
    text = (site.file.parent / "what-if.toml").read_text()
    assert text == 'extends = "shop.toml"\nservice.concurrency = "async"\n'
    page.locator("#save").click()
    expect(page.locator("#saved")).to_contain_text("is there already")


def test_nothing_is_asked_of_others_and_text_stays_text(
    opened: Opened, site: Site
) -> None:
    assert opened.page.locator("#question").inner_text() == "</script><b>why?</b>"
    others = [url for url in opened.asked if not url.startswith(site.address)]
    assert others == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 400, 800, 1280])
def test_it_is_accessible_and_fits(
    browser: Browser, site: Site, scheme: str, width: int
) -> None:
    state = "?set=service.threads%3D8&keep=p99+%3C+1ms&pin=set%3Dservice.threads%253D2"
    size = {"width": width, "height": 800}
    opened = Opened(browser, site.address + state, viewport=size, color_scheme=scheme)
    page = opened.sharp()
    found = Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {one['help']}: {node['html']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    assert serious == []
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert opened.said == []
    opened.context.close()
