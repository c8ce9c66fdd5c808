"""Words are found in whatever way a referring physician typed them, and what is denied does not count."""

from __future__ import annotations

import time

import pytest

from server.domain.matching.assess import Referral, assess
from server.domain.matching.completeness import age_in
from server.domain.matching.reading import Reading
from server.domain.matching.rules import RuleError, parse, standard, term
from server.domain.matching.scoring import scores
from server.domain.matching.text import distance, words

FILE = """
[liver]
sure.en = ["hepatitis", "liver failure"]
sure.ru = ["гепатит", "печеночная недостаточность"]
sure.ko = ["간경변", "간암", "눈"]
"""
ABOUT = """
[weights]
sure = 8
strong = 5
hint = 2
against = -6
chosen = 1
question = 1.4
beside = 0.35
main = 1.5
least = 4.5
close = 1.25
[negation.before]
en = ["no"]
ru = ["нет", "без"]
[negation.after]
ru = ["исключен"]
ko = ["없음"]
[somebody_else]
en = ["father"]
[beside]
en = ["known"]
[main]
en = ["mainly"]
[question]
en = ["advise"]
"""
CHILDREN = """
[ward]
ages = [0, 17]
instead_of = ["adults/*"]
sure.en = ["chickenpox"]
"""
RULES = parse({"ward": FILE}, ABOUT)


def counted(text: str, name: str) -> int:
    reading = Reading(text, RULES)
    return sum(not reading.negated(place) for place in reading.find(term(name)))


@pytest.mark.parametrize(
    "typed",
    [
        "гепатит",
        "ГЕПАТИТА",  # an ending
        "гeпaтит",  # Latin e and a
        "гепатти",  # two letters swapped
        "гепат. хронич.",  # cut
        "gepatit",  # without a Cyrillic keyboard
        "gepatitom",
    ],
)
def test_a_russian_word_is_found_in_every_way_it_is_typed(typed: str) -> None:
    assert counted(f"у больного {typed}", "гепатит") == 1


@pytest.mark.parametrize(
    "typed", ["간경변이 있음", "대상성간경변", "간 경변 의심", "간경벼 의심", "B형간경변"]
)
def test_a_korean_word_is_found_with_particles_in_compounds_and_misspelt(typed: str) -> None:
    assert counted(typed, "간경변") == 1


def test_a_short_korean_word_must_stand_at_a_words_beginning_or_end() -> None:
    assert counted("원발성간암으로", "간암") == 1
    assert counted("시간암시적", "간암") == 0
    assert counted("눈이 아픔", "눈") == 1
    assert counted("눈썹", "눈") == 0


def test_a_name_of_two_words_may_have_others_between_but_not_a_full_stop() -> None:
    assert counted("liver acute failure", "liver failure") == 1
    assert counted("failure of the liver", "liver failure") == 1
    assert counted("Liver fine. Failure of heart", "liver failure") == 0
    assert counted("liver is not known to be in any failure", "liver failure") == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("no hepatitis", "hepatitis"),
        ("гепатит исключен", "гепатит"),
        ("без признаков гепатита", "гепатит"),
        ("간경변 없음", "간경변"),
        ("father had hepatitis", "hepatitis"),
    ],
)
def test_what_is_denied_or_is_a_relatives_does_not_count(text: str, name: str) -> None:
    assert counted(text, name) == 0


@pytest.mark.parametrize(
    "text", ["no fever, hepatitis since May", "No pain. Hepatitis", "жалоб нет, гепатит"]
)
def test_a_negation_ends_with_its_clause(text: str) -> None:
    assert counted(text, "гепатит" if "гепатит" in text else "hepatitis") == 1


def test_abbreviations_in_capitals_are_found_in_capitals_only() -> None:
    known = standard()
    assert Reading("relapse of ALL", known).find(term("ALL"))
    assert not Reading("all tests are fine", known).find(term("ALL"))


def test_a_distance_counts_a_swap_as_one() -> None:
    assert distance("abcdef", "abdcef", 2) == 1
    assert distance("abcdef", "abcdef", 2) == 0
    assert distance("abcdef", "abcd", 1) == 2
    assert distance("abcdef", "xyzdef", 1) == 2


def test_a_full_stop_ends_a_sentence_only_before_a_capital() -> None:
    found = words("опух. печени. Операция?")
    assert [word.sentence for word in found] == [0, 0, 1]
    assert [word.cut for word in found] == [True, True, False]
    assert [word.asked for word in found] == [False, False, True]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("мальчик 9 л, кашель", 9),
        ("2 yo girl", 2),
        ("58M, stomach", 58),
        ("6세 남아", 6),
        ("14 лет единственная почка", 14),
        ("14개월 남아", 1),
        ("бесплодие 7 лет, ЭКО", None),
        ("pain for 5 years", None),
        ("болит 3 года", None),
    ],
)
def test_an_age_is_read_from_the_text_only_where_it_is_one(text: str, age: int | None) -> None:
    assert age_in(text) == age


def test_a_child_goes_to_the_childrens_department_and_an_adult_never() -> None:
    text = {"text": "tetralogy of Fallot"}
    assert assess(Referral("cardiothoracic", text, 4), standard()).place == "paediatrics/heart"
    assert assess(Referral("cardiothoracic", text, 34), standard()).place == "cardiothoracic/adult_congenital"


def test_of_equals_whose_children_come_the_first_by_name_is_the_reason_in_every_process() -> None:
    names = ("anaemia", "burns", "cataract", "diphtheria", "eczema", "fracture", "gout", "hernia", "itching")
    wards = "".join(f"[{name}]\nsure.en = ['{name}']\n" for name in reversed(names))
    known = parse({"adults": wards, "young": CHILDREN}, ABOUT)
    found = scores(Reading(", ".join(names), known), known, age=5)
    assert [spoke.term for spoke in found[0].spoke] == ["anaemia"]


def test_what_is_urgent_is_said_and_what_is_denied_is_not() -> None:
    urgent = assess(Referral("orthopaedics", {"text": "cauda equina syndrome since yesterday"}), standard())
    assert urgent.red_flags == ("cord",)
    assert not assess(Referral("orthopaedics", {"text": "no cauda equina"}), standard()).red_flags


@pytest.mark.parametrize("word", ["pain", "통증", "боль", "", "???", "cancer", "болит живот"])
def test_a_complaint_alone_is_nothing_to_pass_on(word: str) -> None:
    found = assess(Referral("general", {"text": word}), standard())
    assert not found.accepted
    assert {"age", "condition", "evidence"} <= set(found.missing)
    assert found.place is None


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("[liver]\nsure.en = [", "not TOML"),
        ("[liver]\nhint.en = ['x']", "nothing is sure"),
        ("[liver]\nsure.fr = ['foie']", "give lists"),
        ("[liver]\nsure.en = 'word'", "a list of words"),
        ("[liver]\nsure.en = ['x']\nages = [18, 3]", "ages run"),
        ("[liver]\nsure.en = ['x']\nsurest.en = ['x']", "surest is none of"),
        ("[liver]\nsure.en = ['x']\ninstead_of = ['ward/kidney']", "which is no place"),
        ("[liver]\nsure.en = ['?!']", "holds no word"),
        ("[liver]\nshared_with = 'ward/kidney'", "there is no"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_with_a_sentence(file: str, sentence: str) -> None:
    with pytest.raises(RuleError, match=sentence):
        parse({"ward": file}, ABOUT)


def test_a_side_condition_counts_less_and_the_main_one_more() -> None:
    beside = assess(Referral("general", {"text": "Hip osteoarthritis. Known crohn disease"}), standard())
    assert beside.place == "orthopaedics/joint"
    main = assess(Referral("general", {"text": "Hip osteoarthritis. Mainly crohn disease"}), standard())
    assert main.place == "gastroenterology/ibd"


def test_a_longer_name_wins_over_the_shorter_one_in_it() -> None:
    found = assess(Referral("general", {"text": "lupus nephritis"}), standard())
    assert found.place == "general/nephrology"
    assert not found.close


def test_nothing_of_the_text_is_in_what_matching_prints() -> None:
    secret = Referral("general", {"text": "lupus SECRETWORD"})
    assert "SECRETWORD" not in repr(secret)
    assert "SECRETWORD" not in repr(assess(secret, standard()))
    assert "SECRETWORD".lower() not in repr(words("SECRETWORD"))


HOSTILE = {
    "one letter": "a" * 30_000,
    "questions": "a?" * 15_000,
    "dates": "05.10.2026 " * 3_000,
    "one word": "pain " * 6_000,
    "one Russian word": "рак легкого " * 2_000,
    "one Korean word": "간암 " * 7_000,
    "particles": "가" * 20_000,
    "particles of a word": "간암" + "은는이가" * 5_000,
    "particles in two readings": "간암" + "이나" * 9_000 + "뷁",
    "beginnings of Korean names": "시쀍쀍쀍 " * 5_000,
    "letters that become four": "㏂" * 20_000,
    "brackets": "(" * 20_000,
    "ages": "M 3 л, " * 4_000,
    "digits": "1" * 20_000,
    "spans": "1 " * 10_000,
    "negations": "no hepatitis, " * 1_500,
    "marks": "e\u0301\u0302\u0303" * 6_000,
    "capitals that grow": "İß" * 9_000,
    "surrogates": "\ud800\udc00 pain",
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long_to_read_or_breaks_it(name: str) -> None:
    began = time.process_time()
    assess(Referral("general", {"text": HOSTILE[name]}), standard())
    # Each takes well under a second; quadratic or worse would take minutes.
    assert time.process_time() - began < 5
