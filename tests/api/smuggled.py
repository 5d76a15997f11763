"""What is smuggled into money requests: no numbers, no currencies, and no JSON."""

TOO_LONG = "1" + "0" * 400
BEYOND_DIGITS = "1" + "0" * 5000  # Python's int() refuses more than 4300 digits of its own accord.
DEEP = 100_000

WRONG_AMOUNTS = (
    *("1e2", "1E2", "1e+2", "100e0", "100e-0", "1.0e2", "0.1e4", "1000e-1", "1e400", "1e-400"),
    *("100.0", "100.00", "100.5", "0.0", "-0.0", "0.5", "99.99999999999999999999"),
    *("-0", "0", "-1", "-100", "1000000000000001", "9007199254740993000"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808"),
    *("18446744073709551615", "18446744073709551616", "18446744073709551716"),
    *("340282366920938463463374607431768211556", TOO_LONG, f"-{TOO_LONG}", BEYOND_DIGITS),
    *('"100"', '"1e2"', '" 100"', '"100 "', '"+100"', '"100.0"', '"100,00"', '"0x64"', '""'),
    *('"١٠٠"', '"१००"', '"１００"', '"𝟙𝟘𝟘"', '"\\u0661\\u0660\\u0660"', '"1_00"', '"NaN"'),
    *('"Infinity"', '"true"', '"null"', '"1\\u200b00"', '"1OO"', '"€1"', '"100n"'),
    *("true", "false", "null", "[]", "[100]", "[[100]]", "{}", '{"amount_minor":100}'),
    *('{"$numberLong":"100"}', '{"value":100,"currency":"EUR"}', '{"__class__":"int"}'),
)
"""JSON values that are no amount: 422 and the field is named."""

NO_NUMBERS = (
    *("NaN", "nan", "Infinity", "-Infinity", "inf", "undefined", "None", "True", "nil"),
    *("0100", "00", "-01", "+5", "+0", "--1", "- 1", "1 0", "1-1", "5*20", "1_000", "1,000"),
    *("100.", ".5", "-.5", "1e", "1e+", "1e1.5", "0x64", "0b1100100", "0o144", "100n", "100L"),
    *("100f", "1'000", "'100'", "١٠٠", "१००", "１００", "𝟙𝟘𝟘", "²", "½", "Ⅷ", "−100", "1\u00a0000"),
    *('"100', "100//", "100/**/", "#100", "`100`", "(100)", "100;", "\\u0031", "", " "),
)
"""Texts in the place of a number that are no JSON: 400."""

WRONG_CURRENCIES = (
    *('"usd"', '"Usd"', '"eur"', '"USD "', '" USD"', '"USD\\n"', '"\\tUSD"', '"U SD"'),
    *('"XXX"', '"XTS"', '"XAU"', '"XAG"', '"XBA"', '"XDR"', '"XSU"', '"BTC"', '"XBT"', '"USDT"'),
    *('"EURO"', '"EU"', '"E"', '""', '"€"', '"978"', '"AAA"', '"ZZZ"', '"DEM"', '"ZWD"', '"EEK"'),
    *('"ＥＵＲ"', '"ЕUR"', '"EUR\\u200b"', '"EUR;"', '"EUR--"', '"EUR\'"', '"ЕВР"', '"EUR\\u0301"'),
    *("978", "0", "null", "true", "[]", '["EUR"]', "{}", '{"code":"EUR"}', '"EUREUR"', '"EUR,USD"'),
)
"""JSON values that are no currency of ISO 4217 in use: 422 and the field is named."""

_REST = b'"currency":"EUR","payment_method":{"type":"card","token":"pm_card_visa"}}'
_GOOD = b'{"amount_minor":100,' + _REST

NO_JSON: dict[str, bytes] = {
    "an array": b"[100]",
    "a text": b'"amount_minor=100"',
    "a number": b"100",
    "a word": b"true",
    "null": b"null",
    "blanks": b"  \n\t ",
    "a form": b"amount_minor=100&currency=EUR",
    "XML": b"<amount_minor>100</amount_minor>",
    "one brace": b"{",
    "one closing brace": b"}",
    "a name alone": b'{"amount_minor"}',
    "no colon": b'{"amount_minor" 100}',
    "no value": b'{"amount_minor":}',
    "a comma at the end": b'{"amount_minor":100,}',
    "a comma at the start": b'{,"amount_minor":100}',
    "two commas": b'{"amount_minor":100,,"a":1}',
    "a semicolon": b'{"amount_minor":100;}',
    "single quotes": b"{'amount_minor':100}",
    "no quotes": b"{amount_minor:100}",
    "a number as a name": b'{1:"amount_minor"}',
    "a comment": b'{"amount_minor":100 /* all */}',
    "a comment to the end": b'{"amount_minor":100} // all',
    "two objects": b'{"amount_minor":100}{"amount_minor":900}',
    "two lines": b'{"amount_minor":100}\n{"amount_minor":900}',
    "something behind": b'{"amount_minor":100}x',
    "a NUL behind": b'{"amount_minor":100}\x00',
    "a NUL before": b'\x00{"amount_minor":100}',
    "a NUL within": b'{"amount_minor"\x00:100}',
    "a form feed within": b'{"amount_minor":\x0c100}',
    "a no-break space within": b'{"amount_minor":\xc2\xa0100}',
    "the name twice": b'{"amount_minor":100,"amount_minor":100}',
    "the name twice, differing": b'{"amount_minor":1,"amount_minor":100}',
    "the name twice, once escaped": b'{"amount_minor":1,"amount\\u005fminor":100}',
    "a name twice further in": b'{"amount_minor":100,"metadata":{"a":"1","a":"2"}}',
    "a byte order mark": b'\xef\xbb\xbf{"amount_minor":100}',
    "UTF-16": '{"amount_minor":100}'.encode("utf-16"),
    "UTF-16 without a mark": '{"amount_minor":100}'.encode("utf-16-le"),
    "UTF-32": '{"amount_minor":100}'.encode("utf-32"),
    "Latin-1": b'{"amount_minor":100,"description":"caf\xe9"}',
    "half a letter": b'{"amount_minor":100,"description":"caf\xc3"}',
    "an overlong slash": b'{"amount_minor":100,"description":"\xc0\xaf"}',
    "an overlong NUL": b'{"amount_minor":100,"description":"\xc0\x80"}',
    "a surrogate in UTF-8": b'{"amount_minor":100,"description":"\xed\xa0\x80"}',
    "a letter beyond Unicode": b'{"amount_minor":100,"description":"\xf4\x90\x80\x80"}',
    "bytes that no UTF-8 has": b'{"amount_minor":100,"description":"\xff\xfe"}',
    "a lone high surrogate": b'{"amount_minor":100,"description":"\\ud800"}',
    "a lone low surrogate": b'{"amount_minor":100,"description":"\\udc00"}',
    "surrogates the wrong way round": b'{"amount_minor":100,"description":"\\udc00\\ud800"}',
    "a lone surrogate as a name": b'{"amount_minor":100,"\\ud800":"a"}',
    "a NUL in a text": b'{"amount_minor":100,"description":"\\u0000"}',
    "a NUL in a name": b'{"amount_minor":100,"a\\u0000":"a"}',
    "a raw NUL in a text": b'{"amount_minor":100,"description":"\x00"}',
    "a raw newline in a text": b'{"amount_minor":100,"description":"a\nb"}',
    "a raw tab in a text": b'{"amount_minor":100,"description":"a\tb"}',
    "an escape that is none": b'{"amount_minor":100,"description":"\\x41"}',
    "half an escape": b'{"amount_minor":100,"description":"\\u00"}',
    "an escape at the end": b'{"amount_minor":100,"description":"\\',
    "a text without an end": b'{"amount_minor":100,"description":"a',
    "deep arrays": b"[" * DEEP,
    "deep and closed arrays": b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"a":' * (DEEP // 5),
    "deep and closed objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "33 arrays": b'{"a":' + b"[" * 33 + b"]" * 33 + b"}",
}
"""Bodies that are no JSON object as RFC 8259 has it: 400, or 413 when they are too long as well."""

TOO_LARGE: dict[str, bytes] = {
    "1 MiB of blanks": b'{"amount_minor":100' + b" " * 2**20 + b"}",
    "1 MiB of text": b'{"amount_minor":100,"description":"' + b"a" * 2**20 + b'"}',
    "1 MiB of digits": b'{"amount_minor":1' + b"0" * 2**20 + b"}",
    "1 MiB of names": b'{"a":1' + b"".join(b',"%d":1' % n for n in range(2**17)) + b"}",
}
"""Bodies beyond what we read: 413."""
