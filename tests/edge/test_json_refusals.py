"""What RFC 8259 does not allow is refused with 400, and what it allows is not."""

import json
import string

import pytest

from guilder.edge.body import DEPTH_MAX, canonical, parse_object
from guilder.edge.errors import MalformedJson
from tests.edge.serving import Api

# Section 2: one value, six structural characters, four kinds of white space, three names.
NOT_A_TEXT = [
    b"", b" ", b"\n", b"nul", b"True", b"FALSE", b"None", b"undefined", b"{} {}", b"{}{}", b"{},",
    b"{};", b"{}]", b"{}}", b"{}a", b"{} //x", b"/**/{}", b"{} #x", b"{}\x00", b"\x00{}",
    b"{}\x0b", b"\x0c{}", b"\xa0{}", b"{}\x1a", b"<a/>", b"a=1", b"---\na: 1", b"\xe2\x80\x89{}",
    b"{}\xe2\x80\xa8", b"\xc2\x85{}", b"({})", b"callback({})", b")]}',{}",
]  # fmt: skip
# Section 4: names are strings, one colon, one comma between members.
NOT_AN_OBJECT = [
    b"{", b"}", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{,"a":1}',
    b'{"a":1,,"b":2}', b'{"a" 1}', b'{"a"::1}', b'{"a":}', b"{a:1}", b"{'a':1}", b"{1:1}",
    b"{null:1}", b'{"a":1 "b":2}', b'{"a":1;"b":2}', b'{"a"=1}', b'{"a":1]', b'["a":1}',
    b'{"a",1}', b'{"a":1:2}', b'{:1}', b'{"a":1}}', b'{"a":"b"', b'{"a', b"{[]:1}",
    b'{"a":1 /*x*/}', b'{"a":1 // x\n}', b'{`a`:1}', b'{"a":{}', b'{"a":1,"a":1}',
    b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b'{"":0,"":0}', b'{"a":1,"\\u0061":2}',
]  # fmt: skip
# Section 5.
NOT_AN_ARRAY = [
    b"[", b"]", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1,,2]", b"[1 2]", b"[1}", b"[1:2]", b"[;]",
    b"[a]", b'["a', b"[[]", b"[]]", b"[1,\n", b"['a']", b"[.]",
]  # fmt: skip
# Section 6: no leading zeros, no plus sign, digits on both sides, ASCII digits only.
NOT_A_NUMBER = [
    b"01", b"-01", b"00", b"+1", b"-", b"--1", b"1.", b".1", b"-.1", b"1e", b"1e+", b"1E-", b"e1",
    b"1e1.5", b"1.2.3", b"0x10", b"0b1", b"0o7", b"1_000", b"1,000", b"NaN", b"-NaN", b"nan",
    b"Infinity", b"-Infinity", b"+Infinity", b"inf", b"1f", b"1L", b"1n", b"1 000",
    b"\xd9\xa1\xd9\xa2", b"\xef\xbc\x91", b"\xc2\xb9", b"-x", b"0e", b"0.e1", b"1ee2", b"1e 2",
    b"- 1", b"2.", b"-2.", b"0x", b"012",
]  # fmt: skip
# Section 7: control characters and the two marks are escaped, and only in the listed ways.
NOT_A_STRING = [
    b'"', b'"a', b"'a'", b'"\n"', b'"\t"', b'"\r"', b'"\x00"', b'"\x1f"', b'"\x08"', b'"\\a"',
    b'"\\x41"', b'"\\u12"', b'"\\u12G4"', b'"\\u"', b'"\\U0041"', b'"\\ "', b'"\\"', b'"\\\'"',
    b'"\\0"', b'"a" "b"', b'"a""b"', b'"\\u{41}"', b'"\\u00e"', b'"\\\n"', b'a"', b'"\\v"',
    b'"\\e"', b'"\\\xe2\x82\xac"', b'"\\u 041"',
]  # fmt: skip
# Section 8: UTF-8, no byte order mark, no half pairs; and PostgreSQL holds no NUL.
NOT_UTF_8 = [
    b'"\xff"', b'"\xc3"', b'"\xc0\x80"', b'"\xc0\xaf"', b'"\xe0\x80\x80"', b'"\xed\xa0\x80"',
    b'"\xed\xbf\xbf"', b'"\xf0\x80\x80\x80"', b'"\xf4\x90\x80\x80"', b'"\xf8\x88\x80\x80\x80"',
    b'"\x80"', b'"\xe2\x82"', b'"\xfe"', b'"\\ud800"', b'"\\udfff"', b'"\\ud800\\ud800"',
    b'"\\udc00\\ud800"', b'"\\ud800a"', b'"\\uD888\\u1234"', b'"\\u0000"', b'"a\\u0000b"',
    b'"\xe9"', b'"\xf0\x9f\x8c"',
]  # fmt: skip
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
OTHER_ENCODINGS = ['{"note":"x"}'.encode(name) for name in ENCODINGS]
NOT_OBJECTS = [b"[]", b'"a"', b"1", b"-0", b"1.5", b"null", b"true", b"false", b"[{}]", b'""']
DEEP = [
    b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1),
    b'{"a":' + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b"}",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a":' + b"[{}," * 30 + b'{"b":[[]]}' + b"]" * 30 + b"}",
]
NOT_A_VALUE = [*NOT_AN_ARRAY, *NOT_A_NUMBER, *NOT_A_STRING, *NOT_UTF_8]
CASES = [
    *NOT_A_TEXT,
    *NOT_AN_OBJECT,
    *(b'{"a":' + value + b"}" for value in NOT_A_VALUE),
    *(b"{" + name + b":1}" for name in NOT_A_STRING),
    *(b"{" + name + b":1}" for name in NOT_UTF_8),
    *(b'{"a":[' + value + b"]}" for value in NOT_A_NUMBER),
    *OTHER_ENCODINGS,
    *NOT_OBJECTS,
    *DEEP,
]


@pytest.mark.proves("S08", "S38")
async def test_what_is_not_one_json_object_is_refused(api: Api) -> None:
    assert len(CASES) >= 250
    for case in CASES:
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
        answer = await api.send("POST", "/v1/orders", body=case, headers=headers)
        assert answer.outcome == (400, "malformed_json"), case[:60]


GOOD = [
    b"{}",
    b" \t\r\n{ } \n",
    b'{"a":0}',
    b'{"a":-1,"b":9007199254740993}',
    b'{"a":[],"b":{},"c":null,"d":true,"e":false}',
    b'{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041"}',
    b'{"a":"\\ud83c\\udf37"}',
    '{"🌷":"日本","é":"ض"}'.encode(),
    b'{"a":"\x7f"}',
    b'{"a":"\\\\u0000"}',
    b'{"A":1,"a":2}',
    b'{"a":' * DEPTH_MAX + b"1" + b"}" * DEPTH_MAX,
    b'{"a":[' + b",".join(b"[]" for _ in range(1000)) + b"]}",
    b'{"":1}',
    b'{"a":"\xef\xbf\xbf\xf4\x8f\xbf\xbf"}',
]


@pytest.mark.parametrize("text", GOOD)
def test_what_rfc_8259_allows_is_read_as_it_is_meant(text: bytes) -> None:
    assert parse_object(text) == json.loads(text)


@pytest.mark.parametrize("letter", string.printable)
def test_no_single_wrong_byte_at_the_end_is_overlooked(letter: str) -> None:
    text = b'{"a":1}' + letter.encode()
    if letter in " \t\n\r":
        assert parse_object(text) == {"a": 1}
    else:
        with pytest.raises(MalformedJson):
            parse_object(text)


def test_every_cut_of_a_good_text_is_refused() -> None:
    text = '{"amount_minor": 1050, "lines": [{"sku": "\\u0041é"}], "note": null}'.encode()
    for end in range(len(text)):
        with pytest.raises(MalformedJson):
            parse_object(text[:end])


def test_a_repeated_name_is_found_in_no_time_among_many() -> None:
    many = ",".join(f'"{n}":1' for n in range(20_000))
    with pytest.raises(MalformedJson, match="19999"):
        parse_object(f'{{{many},"19999":2}}'.encode())


def test_the_canonical_body_is_one_for_one_meaning() -> None:
    spellings = [
        '{"b": {"y": 1, "x": "é"}, "a": [1, 2]}',
        '{ "a" : [ 1 , 2 ] , "b" : { "x" : "\\u00e9" , "y" : 1 } }',
    ]
    texts = {canonical(parse_object(spelling.encode())) for spelling in spellings}
    assert texts == {'{"a":[1,2],"b":{"x":"é","y":1}}'.encode()}
    assert canonical(parse_object(b'{"a":[2,1]}')) != canonical(parse_object(b'{"a":[1,2]}'))
