"""A handler logs calls with the keyboard alone: keys are counted, and every state of the form serves every hand."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Route, expect

from helpline import cases
from helpline.models import Contact, Draft
from tests.journeys.desk import Desk, choose, state, told
from tests.test_pages import EDGE, faults, overflow, too_small_to_touch

pytestmark = pytest.mark.django_db(transaction=True)


# --- keystrokes ------------------------------------------------------------------------------------------------------


def test_a_silent_call_takes_two_keys_and_the_page_is_ready_for_the_next(opened):
    desk = opened()
    desk.press("4", "Enter")
    told(desk.page)
    assert desk.keystrokes <= 2
    assert Contact.objects.get().result == "tyst"
    assert desk.cursor == "result" and not desk.page.locator("input[name=result]:checked").count()
    desk.press("5", "Enter")
    expect(desk.page.locator(".recent li")).to_have_count(2)
    assert {contact.result for contact in Contact.objects.all()} == {"tyst", "bus"} and not Draft.objects.exists()


def test_a_relatives_call_takes_at_most_twenty_keys(opened):
    desk = opened()
    desk.press("1", "Enter", "1", "1", "Enter")  # relevant, no length, a relative, a parent, no gender
    desk.press("g", "3", "1", "6", "Enter", "2", "Enter")  # two concerns, age, no gender
    desk.press("1", "2")  # the county by its code
    desk.press("g", "5", "5", "Enter", "s", "Control+Enter")  # signposted to the social services
    told(desk.page)
    assert desk.keystrokes <= 20
    contact, referral = Contact.objects.get(), Contact.objects.get().referrals.get()
    assert (contact.caller_role, contact.relation, contact.concerns) == ("narstaende", "foralder", {"dras_in", "natet"})
    assert (contact.age, contact.county, contact.actions) == ("a15_17", "12", {"hanvisat"})
    assert (referral.target, referral.type, referral.consent) == ("social", "hanvisning", False)


def test_a_returning_callers_call_takes_at_most_twenty_five_keys(opened, handler):
    case, number = cases.open_case(today=timezone.localdate())
    desk = opened(language="en")
    desk.press("g", "n", *number)
    expect(desk.page.locator("#case-said")).to_contain_text("Known case")
    desk.press("Enter", "1", "Enter", "1", "g", "3", "2", "Enter", "3", "Control+Enter")
    told(desk.page)
    assert desk.keystrokes <= 25
    contact = Contact.objects.get()
    assert (contact.case, contact.result, contact.concerns, contact.age) == (case, "relevant", {"aktiv"}, "a18_25")


def test_a_number_is_told_apart_when_mistyped_and_when_unknown(opened):
    desk = opened(language="en")
    page, said = desk.page, desk.page.locator("#case-said")
    number = cases.case_numbers.make(lambda n: 7)
    page.fill("#case_number", number[:-1] + str((int(number[-1]) + 1) % 10))
    expect(said).to_contain_text("mistyped")
    page.fill("#case_number", number)
    expect(said).to_contain_text("No case")
    assert page.locator("[name=case]").input_value() == ""


def test_enter_after_a_number_that_is_not_whole_says_so_first_and_goes_on_the_second_time(opened):
    desk = opened(language="en")
    page, said = desk.page, desk.page.locator("#case-said")
    page.focus("#case_number")
    desk.press("1", "2", "Enter")
    expect(said).to_have_text("A case number has nine digits.")
    assert page.evaluate("document.activeElement.id") == "case_number"
    desk.press("Enter")
    assert page.evaluate("document.activeElement.id") != "case_number"
    page.focus("#case_number")
    desk.press("3")
    expect(said).to_be_empty()
    page.fill("#case_number", "")
    desk.press("Enter")  # nothing typed: there is nothing to say
    expect(said).to_be_empty()
    assert page.evaluate("document.activeElement.id") != "case_number"


def test_a_number_that_is_given_is_shown_once_and_goes_with_the_contact(opened):
    desk = opened()
    number_given(desk)
    number = desk.page.locator("#case-given output").inner_text()
    desk.page.focus("#result")
    desk.press("4", "Enter")
    told(desk.page)
    assert cases.find_case(number, by=Contact.objects.get().logged_by, today=timezone.localdate())
    assert Contact.objects.get().case is not None
    expect(desk.page.locator("#case-given")).to_be_hidden()
    assert number not in desk.page.content()


def test_a_number_that_comes_late_goes_with_its_own_call_and_is_told_after_the_save(opened):
    desk = opened()
    page = desk.page
    held: list[Route] = []
    page.route("**/contacts/case/", lambda route: held.append(route))
    desk.press("4")
    page.click("[name=new_case]")
    desk.press("Control+Enter")
    page.wait_for_function("document.getElementById('questions').inert")
    assert not Contact.objects.exists()
    held[0].continue_()
    told(page)
    contact = Contact.objects.get()
    number = page.locator("#told .case__number").inner_text()
    assert cases.find_case(number, by=contact.logged_by, today=timezone.localdate()) == contact.case
    assert page.locator("[name=case]").input_value() == ""
    expect(page.locator("#case-given")).to_be_hidden()
    expect(page.locator("[name=new_case]")).to_be_visible()


def test_a_number_for_a_form_that_is_gone_is_not_the_next_callers(opened):
    desk = opened()
    page = desk.page
    held: list[Route] = []
    page.route("**/contacts/case/", lambda route: held.append(route))
    page.click("[name=new_case]")
    page.wait_for_function("document.querySelector('[name=new_case]').ariaDisabled")
    page.evaluate("document.querySelector('form.contact').elements.key.value = crypto.randomUUID()")
    with page.expect_response("**/contacts/case/"):
        held[0].continue_()
    expect(page.locator("[name=new_case]")).not_to_have_attribute("aria-disabled", "true")
    assert page.locator("[name=case]").input_value() == ""
    expect(page.locator("#case-given")).to_be_hidden()


def test_a_stray_key_takes_no_case_away(opened):
    desk = opened(language="en")
    number_given(desk)
    page, ticket = desk.page, desk.page.locator("[name=case]")
    given, number = ticket.input_value(), page.locator("#case-given output").inner_text()
    expect(page.locator("[name=new_case]")).to_be_hidden()
    page.focus("#case_number")
    desk.press("4", "Backspace")
    assert ticket.input_value() == given
    expect(page.locator("#case-given output")).to_have_text(number)
    _, other = cases.open_case(today=timezone.localdate())
    page.fill("#case_number", other)
    expect(page.locator("#case-said")).to_contain_text("Known case")
    assert ticket.input_value() != given
    expect(page.locator("#case-given")).to_be_hidden()
    page.fill("#case_number", "")
    assert ticket.input_value() == given
    expect(page.locator("#case-given output")).to_be_visible()


def test_a_number_nobody_found_is_not_saved_as_the_case_before_it(opened):
    desk = opened(language="en")
    number_given(desk)
    desk.page.fill("#case_number", "12")
    choose(desk.page, result="tyst")
    desk.press("Control+Enter")
    expect(desk.page.locator(".summary li")).to_have_count(1)
    assert not Contact.objects.exists()
    desk.page.fill("#case_number", "")
    desk.press("Control+Enter")
    told(desk.page)
    assert Contact.objects.get().case is not None


# --- what the keys do ------------------------------------------------------------------------------------------------


def test_keys_choose_only_inside_a_group_and_never_while_typing(opened):
    desk = opened()
    page = desk.page
    page.focus("#day")
    desk.press("4")
    page.focus("#case_number")
    desk.press("4", "s", "?")
    page.focus("[data-save=again]")
    desk.press("4")
    assert not page.locator("input[name=result]:checked").count() and not page.locator("dialog[open]").count()
    page.focus("#result")
    desk.press("Control+4", "4")
    assert page.locator("input[name=result]:checked").input_value() == "tyst"


def test_a_group_of_several_takes_letters_too_and_non_answers_stand_alone(opened):
    desk = opened()
    page = desk.page
    choose(page, result="relevant")
    page.focus("#concerns")
    desk.press("a", "b", "2")
    assert page.locator("input[name=concerns]:checked").evaluate_all("all => all.map(e => e.value)") == [
        "aktiv", "metod", "annat"
    ]  # fmt: skip
    desk.press("v")
    assert page.locator("input[name=concerns]:checked").evaluate_all("all => all.map(e => e.value)") == ["vet_ej"]
    desk.press("0")
    assert page.locator("input[name=concerns]:checked").count() == 0
    page.focus("#caller_role")
    desk.press("x")
    assert page.locator("input[name=caller_role]:checked").input_value() == "avboj" and desk.cursor == "relation"


def test_an_answer_that_stands_alone_clears_the_others_and_is_cleared_by_them(opened):
    page = opened().page
    chosen = page.locator("input[name=actions]:checked")
    choose(page, result="relevant", actions=("lyssnat", "hanvisat"))
    assert chosen.count() == 2
    choose(page, actions="ingen")
    assert chosen.evaluate_all("all => all.map(e => e.value)") == ["ingen"]
    choose(page, actions="lyssnat")
    assert chosen.evaluate_all("all => all.map(e => e.value)") == ["lyssnat"]


def test_the_form_that_amends_asks_as_the_first_one_does(opened):
    desk = opened()
    amending(desk)
    page = desk.page
    expect(page.locator("[data-question=caller_role]")).to_be_hidden()
    choose(page, result="relevant", caller_role="yrkes", actions=("lyssnat", "ingen", "formedlat"))
    assert page.locator("input[name=actions]:checked").evaluate_all("all => all.map(e => e.value)") == ["formedlat"]
    expect(page.locator("[data-question=sector]")).to_be_visible()
    expect(page.locator("input[name=referral-0-consent]")).to_be_visible()
    assert page.input_value("#referral-0-type") == "formedling"
    with page.expect_navigation():
        page.click(".save button")
    contact = Contact.objects.get()
    assert (contact.result, contact.caller_role, contact.actions) == ("relevant", "yrkes", {"formedlat"})


def test_the_form_that_amends_obeys_the_same_keys(opened):
    desk = opened()
    amending(desk)
    desk.press("g", "1")
    assert desk.cursor == "result" and desk.page.locator(".pick kbd").first.inner_text() == "1"
    desk.press("1")
    assert desk.cursor == "length"
    desk.press("2", "v")
    assert desk.cursor == "relation"
    desk.press("g", "3", "1", "a", "Enter")
    assert desk.cursor == "age"
    with desk.page.expect_navigation():
        desk.press("Control+Enter")
    contact = Contact.objects.get()
    assert (contact.result, contact.length, contact.caller_role) == ("relevant", "5_14", "vet_ej")
    assert (contact.concerns, contact.version) == ({"dras_in", "metod"}, 2)


def test_a_short_result_does_not_end_an_amendment(opened):
    desk = opened()
    amending(desk)
    desk.press("g", "1", "5")
    assert desk.cursor == "length"
    desk.press("g", "1", "Enter")
    assert desk.cursor == "length"
    desk.press("0")
    desk.press("g", "1", "Enter", "Enter")
    assert desk.page.evaluate("document.activeElement.matches('[data-save]')")
    assert Contact.objects.get().version == 1
    with desk.page.expect_navigation():
        desk.press("Enter")
    assert Contact.objects.get().result == "bus"


def test_the_form_that_amends_promises_no_key_that_it_lacks(opened):
    desk = opened(language="en")
    page, form = desk.page, desk.page.locator("form.contact")
    keys = page.locator("#keys")
    desk.press("?")
    expect(keys).to_contain_text("case number")
    expect(keys).to_contain_text("the call begins now")
    expect(keys).to_contain_text("saves a short call")
    desk.press("Escape")
    amending(desk)
    page.evaluate("document.addEventListener('keydown', (e) => { window.isTaken = e.defaultPrevented; })")
    before = form.evaluate("form => String(new URLSearchParams(new FormData(form)))")
    page.focus("#result")
    for sequence in ("s", "gn"):
        desk.press(*sequence)
        assert not page.evaluate("window.isTaken"), sequence
    assert form.evaluate("form => String(new URLSearchParams(new FormData(form)))") == before
    desk.press("?")
    expect(keys).to_be_visible()
    expect(keys).not_to_contain_text("case number")
    expect(keys).not_to_contain_text("the call begins now")
    expect(keys).not_to_contain_text("saves a short call")


def test_caps_lock_chooses_as_well(opened):
    desk = opened()
    choose(desk.page, result="relevant")
    desk.page.focus("#concerns")
    desk.press("A")
    assert desk.page.locator("input[name=concerns]:checked").input_value() == "metod"


def test_the_space_bar_opens_a_list_again_after_letters(opened):
    desk = opened()
    page = desk.page
    choose(page, result="relevant")
    page.evaluate("document.addEventListener('keydown', (e) => { window.isTaken = e.defaultPrevented; })")
    page.focus("#county")
    desk.press("s", " ")
    assert page.evaluate("window.isTaken")
    page.wait_for_timeout(820)
    desk.press(" ")
    assert not page.evaluate("window.isTaken")


def test_long_lists_answer_to_codes_and_to_first_letters(opened):
    desk = opened()
    page = desk.page
    choose(page, result="relevant")
    for keys, county in (("20", "20"), ("kro", "07"), ("kal", "08"), ("utl", "UTL"), ("ss", "04")):
        page.focus("#county")
        page.wait_for_timeout(820)
        desk.press(*keys)
        assert page.input_value("#county") == county, keys
    page.focus("#referral-0-target")
    desk.press(*"exit")
    assert page.input_value("#referral-0-target") == ""
    page.wait_for_timeout(820)
    desk.press(*"avh")
    assert page.input_value("#referral-0-target") == "avh_mynd"


def test_what_is_not_asked_is_neither_shown_nor_sent_and_comes_back(opened):
    desk = opened()
    page = desk.page
    assert not page.locator("p.when").filter(visible=True).count()
    assert page.locator("section:has(> [data-question])").filter(visible=True).count() == 1
    choose(page, result="relevant", caller_role="yrkes", sector="polis", concerns="vill_ut", motivation="m3")
    choose(page, caller_role="sjalv")
    expect(page.locator("[data-question=sector]")).to_be_hidden()
    choose(page, caller_role="yrkes")
    assert page.locator("input[name=sector]:checked").input_value() == "polis"
    choose(page, result="info")
    expect(page.locator("[data-question=motivation]")).to_be_hidden()
    page.focus("#caller_role")
    desk.press("Control+Enter")
    told(page)
    contact = Contact.objects.get()
    assert (contact.sector, contact.concerns, contact.motivation) == ("polis", {"ej_till"}, "ej_till")


def test_an_arranged_contact_asks_for_consent_and_a_row_is_added_without_a_trip(opened):
    desk = opened()
    page = desk.page
    choose(page, result="relevant", actions="formedlat")
    assert page.input_value("#referral-0-type") == "formedling"
    page.select_option("#referral-0-target", "vard")
    page.check("input[name=referral-0-consent]")
    page.click("[name=add_referral]")
    assert page.evaluate("document.activeElement.id") == "referral-1-target"
    page.select_option("#referral-1-target", "skola")
    page.select_option("#referral-1-type", "hanvisning")
    expect(page.locator("input[name=referral-1-consent]")).to_be_hidden()
    page.click("[data-save]:not([data-save=again])")
    told(page)
    rows = Contact.objects.get().referrals.values_list("target", "type", "consent")
    assert set(rows) == {("vard", "formedling", True), ("skola", "hanvisning", False)}
    expect(page.locator(".referral")).to_have_count(1)


def test_a_type_that_was_only_proposed_is_not_sent(opened):
    desk = opened()
    choose(desk.page, result="relevant", actions="hanvisat")
    desk.page.focus("#result")
    desk.press("Control+Enter")
    told(desk.page)
    assert Contact.objects.get().actions == {"hanvisat"} and not Contact.objects.get().referrals.exists()


def test_single_keys_can_be_switched_off_for_good(opened, handler):
    desk = opened()
    page = desk.page
    desk.press("?")
    with page.expect_response("**/contacts/shortcuts/"):
        page.uncheck("[data-switch]")
    desk.press("Escape")
    assert desk.cursor == "result" and not page.locator(".pick kbd").count()
    desk.press("4", "s")
    assert not page.locator("input[name=result]:checked").count()
    handler.refresh_from_db()
    assert not handler.has_shortcuts
    desk.go()
    desk.press("4")
    assert not page.locator("input[name=result]:checked").count()


def test_single_keys_are_switched_off_and_on_where_one_amends_too(opened, handler):
    desk = opened()
    amending(desk)
    page, badges = desk.page, desk.page.locator(".pick kbd")
    for wanted in (False, True):
        page.click("[data-keys]")
        with page.expect_response("**/contacts/shortcuts/"):
            page.set_checked("[data-switch]", wanted)
        desk.press("Escape")
        page.reload()
        handler.refresh_from_db()
        assert handler.has_shortcuts == wanted
        assert (badges.count() > 0) == wanted
        page.focus("#result")
        desk.press("5")
        assert page.locator("input[name=result]:checked").input_value() == ("bus" if wanted else "tyst")


@pytest.mark.parametrize("page_of", ["new", "amended"])
def test_a_switch_that_the_server_does_not_keep_says_so(opened, page_of):
    desk = opened()
    if page_of == "amended":
        amending(desk)
    page, said = desk.page, desk.page.locator("#keys .error")
    desk.press("?")
    expect(said).to_be_hidden()
    page.route("**/contacts/shortcuts/", lambda route: route.fulfill(status=503), times=1)
    page.uncheck("[data-switch]")
    expect(said).to_be_visible()
    page.check("[data-switch]")
    expect(said).to_be_hidden()
    desk.context.set_offline(True)
    page.uncheck("[data-switch]")
    expect(said).to_be_visible()


def test_the_clock_proposes_a_length_only_when_the_call_was_begun(opened):
    desk = opened(language="en")
    page = desk.page
    page.clock.install()
    desk.go()
    length = page.locator("input[name=length]:checked")
    desk.press("1")
    page.clock.run_for(1100)
    state(page, "Draft saved")
    expect(page.locator("[role=timer]")).to_be_visible()
    assert length.input_value() == "ej_fragat"
    page.focus("#result")
    desk.press("s")
    assert length.input_value() == "u5"
    page.clock.fast_forward(6 * 60_000)
    page.clock.run_for(1000)
    assert length.input_value() == "5_14"
    expect(page.locator("[data-proposed-by-clock]")).to_be_visible()
    choose(page, length="15_29")
    page.clock.fast_forward(60 * 60_000)
    assert length.input_value() == "15_29"
    expect(page.locator("[data-proposed-by-clock]")).to_be_hidden()


def test_the_clock_survives_a_reload(opened):
    desk = opened()
    desk.press("s")
    desk.page.wait_for_url("**clock=1")
    began = desk.page.locator("form.contact").get_attribute("data-opened")
    desk.page.reload()
    assert began == "" and desk.page.locator("form.contact").get_attribute("data-opened")
    expect(desk.page.locator("[role=timer]")).to_contain_text("00:0")
    expect(desk.page.locator("[data-proposed-by-clock]")).to_be_visible()


def test_the_same_caller_again_keeps_who_calls(opened):
    desk = opened()
    choose(desk.page, result="relevant", caller_role="narstaende", county="20", concerns="hot")
    with desk.page.expect_navigation(url="**again=*"):
        desk.page.click("[data-save=again]")
    page = desk.page
    assert page.locator("input[name=caller_role]:checked").evaluate("e => e.value") == "narstaende"
    assert not page.locator("input[name=concerns]:checked").count() and Contact.objects.count() == 1


# --- every state serves everybody ------------------------------------------------------------------------------------


def short(desk: Desk) -> None:
    desk.press("4")


def relevant(desk: Desk) -> None:
    choose(desk.page, result="relevant", caller_role="yrkes", concerns=("dras_in", "vill_ut"))
    choose(desk.page, actions=("hanvisat", "formedlat"))
    for summary in desk.page.locator("summary").all():
        summary.click()
    desk.page.wait_for_url("**draft=*")


def with_keys(desk: Desk) -> None:
    desk.press("?")


def logging_in(desk: Desk) -> None:
    short(desk)
    desk.context.clear_cookies()
    desk.press("Enter")
    desk.page.wait_for_selector("#log-in[open]")


def refused(desk: Desk) -> None:
    choose(desk.page, result="relevant")
    desk.page.select_option("#referral-0-target", "social")
    desk.page.fill("#day", "2020-01-01")
    desk.page.fill("#case_number", "12")
    desk.press("Control+Enter")
    expect(desk.page.locator(".summary li")).to_have_count(3)
    assert desk.page.evaluate("document.activeElement.className") == "summary"
    assert desk.page.locator("form .error").filter(visible=True).count() == 3


def saved(desk: Desk) -> None:
    desk.press("4", "Enter")
    told(desk.page)
    expect(desk.page.locator(".save [aria-disabled]")).to_have_count(0)


def number_given(desk: Desk) -> None:
    desk.page.click("[name=new_case]")
    expect(desk.page.locator("#case-given")).to_be_visible()


def running(desk: Desk) -> None:
    desk.press("s")
    desk.page.wait_for_url("**clock=1")


def waiting(desk: Desk) -> None:
    desk.context.set_offline(True)
    desk.press("4", "Enter")
    desk.page.wait_for_selector("#state button:visible")


def saved_elsewhere(desk: Desk) -> None:
    desk.page.evaluate("document.getElementById('saved-already').showModal()")


def hidden(desk: Desk) -> None:
    desk.press("Escape", "Escape")
    desk.page.wait_for_selector("#cover[open]")


def amending(desk: Desk) -> None:
    """A silent call, saved and opened again."""
    desk.press("4", "Enter")
    told(desk.page)
    with desk.page.expect_navigation():
        desk.page.click("#told [data-change]")


def amending_all(desk: Desk) -> None:
    amending(desk)
    choose(desk.page, result="relevant", caller_role="yrkes", concerns=("dras_in", "vill_ut"))
    choose(desk.page, actions=("hanvisat", "formedlat"))


def amending_with_keys(desk: Desk) -> None:
    amending(desk)
    with_keys(desk)


def amending_hidden(desk: Desk) -> None:
    amending(desk)
    hidden(desk)
    desk.press("Escape")
    desk.page.click("[data-hide]")
    desk.page.wait_for_selector("#cover[open]")


STATES: dict[str, Callable[[Desk], None]] = {
    "empty": lambda desk: None,
    "short": short,
    "relevant, everything open": relevant,
    "keys": with_keys,
    "log in over": logging_in,
    "refused": refused,
    "saved": saved,
    "number given": number_given,
    "clock running": running,
    "waiting for the network": waiting,
    "saved in another window": saved_elsewhere,
    "screen hidden": hidden,
    "amended": amending,
    "amended, everything open": amending_all,
    "amended, keys": amending_with_keys,
    "amended, screen hidden": amending_hidden,
}


def reach(desk: Desk, name: str) -> None:
    STATES[name](desk)
    # A colour on its way is no colour.
    desk.page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished))")


SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
ENLARGED = {"width": 320, "height": 256}  # what 1280 × 1024 has left at four times the size


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize(("language", "size"), [("sv", "desk"), ("en", "phone")])
def test_every_state_of_the_form_is_accessible_and_fits(opened, name, language, size):
    desk = opened(SIZES[size], language)
    reach(desk, name)
    page = desk.page
    assert page.locator("html").get_attribute("lang") == language
    assert faults(page) == []
    assert too_small_to_touch(page) == [] or size == "desk"
    for one in (*SIZES.values(), ENLARGED):
        page.set_viewport_size(one)
        assert overflow(page) <= 0, one
    assert faults(page) == []


@pytest.mark.parametrize("name", STATES)
def test_every_state_of_the_form_serves_who_enlarges_it_four_times(opened, name):
    desk = opened(ENLARGED, scale=4)
    reach(desk, name)
    page = desk.page
    assert page.evaluate("[innerWidth * devicePixelRatio, innerHeight * devicePixelRatio]") == [1280, 1024]
    assert overflow(page) <= 0
    assert faults(page) == []


@pytest.mark.parametrize("size", ["desk", "phone", "enlarged"])
def test_how_the_save_stands_is_seen_and_said_on_every_screen(opened, size):
    desk = opened(ENLARGED, scale=4) if size == "enlarged" else opened(SIZES[size])
    waiting(desk)
    for part in ("seen", "said"):
        expect(desk.page.locator(f"#state [data-{part}]")).to_be_visible()


def test_the_page_of_keys_begins_with_its_beginning_on_a_small_screen(opened):
    desk = opened(ENLARGED, scale=4)
    desk.press("?")
    expect(desk.page.locator("#keys h2")).to_be_in_viewport()
    expect(desk.page.locator("#keys [data-close]")).not_to_be_in_viewport()


# Whether the point belongs to what has the focus, or to the label by which a radio or box is seen and pressed, once the
# browser has scrolled to it.
IS_SEEN = """async () => { for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const e = document.activeElement, seen = e.closest('.pick') ?? e;
  return [...seen.getClientRects()].some((box) => [0.1, 0.5, 0.9].some((x) => [0.1, 0.5, 0.9].some((y) => {
    const at = document.elementFromPoint(box.left + x * box.width, box.top + y * box.height);
    return at !== null && seen.contains(at); }))) }"""
WHERE = "(e => e === document.body ? '' : e.outerHTML.slice(0, 100))(document.activeElement)"
MANY = 300  # more stops than any page has


def stops(desk: Desk) -> tuple[list[str], list[str]]:
    """Tab through the page once: every stop, and those at which nothing of what has the focus can be seen."""
    page = desk.page
    page.locator("body").evaluate("body => { body.tabIndex = -1; body.focus(); body.removeAttribute('tabindex') }")
    every: list[str] = []
    covered: list[str] = []
    while len(every) < MANY:
        desk.press("Tab")
        where = page.evaluate(WHERE)
        if not where or where in every[:1]:
            break
        every.append(where)
        if not page.evaluate(IS_SEEN):
            covered.append(where)
    return every, covered


@pytest.mark.parametrize(
    "name", ["short", "relevant, everything open", "refused", "amended", "amended, everything open"]
)
@pytest.mark.parametrize("size", ["desk", "phone", "enlarged"])
def test_whatever_has_the_focus_can_be_seen(opened, name, size):
    desk = opened(ENLARGED, scale=4) if size == "enlarged" else opened(SIZES[size])
    reach(desk, name)
    every, covered = stops(desk)
    assert covered == []
    assert "data-save" in "".join(every) and 15 < len(every) < MANY


def test_a_covered_focus_would_show(opened):
    desk = opened(ENLARGED, scale=4)
    desk.page.locator(".save").evaluate("bar => { bar.style.position = 'fixed'; bar.style.inset = '0' }")
    every, covered = stops(desk)
    assert 0 < len(covered) < len(every)


def test_the_hidden_screen_shows_nothing_and_comes_back_where_one_was(opened):
    desk = opened()
    desk.press("4")
    hidden(desk)
    visible = desk.page.locator("main *, header *").filter(visible=True).all_inner_texts()
    assert all("Tyst" not in text and "handler" not in text for text in visible)
    desk.press("4", "Enter")
    expect(desk.page.locator("#cover")).to_be_hidden()
    assert desk.cursor == "result" and Contact.objects.count() == 0


def test_nothing_above_the_cursor_moves_while_one_chooses_and_saves(opened):
    desk = opened(SIZES["phone"])
    desk.page.wait_for_timeout(50)
    place = "document.getElementById('result').getBoundingClientRect().top + scrollY"
    before = desk.page.evaluate(place)
    desk.press("2")
    assert desk.page.evaluate(place) == before
    page = opened().page
    before = page.evaluate(place)
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    told(page)
    assert page.evaluate(place) == before


# --- contrast of what axe does not measure ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "selector", [".pick", "#case_number", "[data-start]", "[data-save=again]", ".pick:has(:checked)"]
)
def test_the_edge_of_each_control_of_the_form_can_be_seen(opened, selector):
    assert opened().page.locator(selector).first.evaluate(EDGE) >= 3
